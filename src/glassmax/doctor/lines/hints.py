"""Which changes mend the mistake of a cause, so that they are tried first."""

from collections.abc import Sequence

__all__ = ["hints"]

OF_CAUSES: dict[str, tuple[str, ...]] = {
    "sign": ("signs",),
    "factor": ("factors",),
    "bias_averaged": ("factors",),
    "bias_not_summed": ("sums", "axes"),
    "bias_summed_over_all": ("axes", "sums"),
    "bias_times_input": ("droppings",),
    "bias_last_row": ("accumulations",),
    "transposed": ("transposes",),
    "elementwise_product": ("operators", "sums"),
    "precedence": ("groups",),
    "softmax_axis": ("axes",),
    "softmax_whole_array": ("axes",),
    "softmax_twice": ("droppings",),
    "activation_missing": ("slopes",),
    "activation_other_function": ("slopes", "products"),
    "activation_of_a": ("operands", "slopes"),
    "activation_of_z": ("operands", "slopes"),
    "activation_other_layer": ("operands", "slopes"),
    "wrong_layer": ("operands", "indices"),
    "wrong_operand": ("operands",),
    "weights_for_input": ("operands",),
    "upstream_twice": ("droppings",),
    "labels_from_one": ("indices",),
    "in_place": ("copies",),
    "regulariser_sign": ("signs",),
    "regulariser_factor": ("factors", "penalties"),
    "regulariser_divided": ("factors", "penalties"),
    "regulariser_missing": ("penalties",),
    "regulariser_on_biases": ("droppings",),
}


def hints(causes: Sequence[str]) -> tuple[str, ...]:
    """The families of changes that mend mistakes of these causes."""
    return tuple(dict.fromkeys(family for cause in causes for family in OF_CAUSES.get(cause, ())))
