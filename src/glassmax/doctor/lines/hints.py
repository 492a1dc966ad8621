"""What is known of a mistake before its line is: which changes mend it, and which arrays the line then makes."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..mistakes.causes import CAUSES, HEAD

__all__ = ["Ask", "ask"]


@dataclass(frozen=True)
class Ask:
    """A mistake whose line is asked for: families of changes that may mend it, and what a mended line makes.

    `wanted` are arrays of the pass such as "dZ1" or "P". `of_factor` says whether a factor is what is wrong,
    `of_argument` whether a function was given the wrong array.
    """

    families: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    of_factor: bool = False
    of_argument: bool = False


OF_CAUSES: dict[str, tuple[str, ...]] = {
    "sign": ("signs", "minuses"),
    "factor": ("factors", "numbers", "scalings", "insertions"),
    "bias_averaged": ("factors",),
    "bias_not_summed": ("sums", "axes"),
    "bias_summed_over_all": ("axes", "sums"),
    "bias_times_input": ("droppings", "anew"),
    "bias_last_row": ("accumulations", "anew"),
    "transposed": ("transposes",),
    "elementwise_product": ("operators", "sums"),
    "precedence": ("groups",),
    "softmax_axis": ("axes",),
    "softmax_whole_array": ("axes",),
    "softmax_twice": ("droppings",),
    "activation_missing": ("arguments", "missing_slopes", "insertions", "slopes", "operands"),
    "activation_other_function": ("signs", "masks", "droppings", "slopes", "functions", "products", "numbers"),
    "activation_of_a": ("operands", "droppings", "slopes"),
    "activation_of_z": ("operands", "slopes"),
    "activation_other_layer": ("operands", "indices", "slopes"),
    "activation_missing_below": ("missing_slopes", "operands"),
    "wrong_layer": ("operands", "indices"),
    "wrong_operand": ("operands", "biases"),
    "weights_for_input": ("operands",),
    "input_missing": ("products", "anew"),
    "upstream_twice": ("droppings",),
    "upstream_dropped": ("products", "anew", "operands"),
    "updated_weights": ("droppings",),
    "labels_from_one": ("indices",),
    "class_shifted": ("indices",),
    "wrong_shapes": ("axes", "transposes", "other_shapes"),
    "index_for_one_hot": ("anew",),
    "other_loss": ("droppings", "operands", "anew"),
    "jacobian_diagonal_only": ("anew",),
    "jacobian_rows_summed": ("anew",),
    "jacobian_not_contracted": ("accumulations", "anew"),
    "jacobian_dot_term_missing": ("anew",),
    "jacobian_on_top": ("droppings", "anew"),
    "jacobian_ignored": ("arguments", "anew"),
    "true_class_for_all": ("anew",),
    "in_place": ("copies",),
    "regulariser_sign": ("signs",),
    "regulariser_factor": ("factors", "numbers", "scalings", "penalties"),
    "regulariser_divided": ("factors", "scalings", "penalties"),
    "regulariser_missing": ("penalties",),
    "regulariser_on_biases": ("droppings",),
}


OF_ARGUMENTS = ("activation_of_a", "activation_of_z", "activation_other_layer", "wrong_layer", "wrong_operand")


def ask(cause: str, nodes: Sequence[str]) -> Ask:
    """What to ask for a mistake of this cause at these nodes of the backward pass, such as "dZ2" or "dW1"."""
    wanted = list(nodes)
    for node in nodes:
        if node.startswith(("dZ", "dA")):
            wanted += [f"dZ{node[2:]}", f"dA{node[2:]}"]
    group = CAUSES[cause].group
    if group == HEAD:
        wanted.append("P")
    return Ask(
        OF_CAUSES.get(cause, ()), tuple(dict.fromkeys(wanted)), cause in ("sign", "factor"), cause in OF_ARGUMENTS
    )
