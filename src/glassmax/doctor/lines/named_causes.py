"""The cause of a mistake whose line was found by a repair alone: the name of what the change undoes.

The family of a change says what was changed, and what the names stand for says in which step of the pass.
"""

import ast
import re

from .changes import Change, inside, value_of
from .known_names import KnownNames
from .recognise import Recognised
from .repairs import Repair
from .rerun import Key
from .source import Statement

__all__ = ["cause_of", "node_of"]

FORWARD, HEAD, HIDDEN, WEIGHTS, BIASES = "forward", "head", "hidden", "weights", "biases"
SAME_EVERYWHERE = {
    "product": "elementwise_product",
    "group": "precedence",
    "transpose": "transposed",
    "accumulate": "bias_last_row",
    "copy": "in_place",
    "slope missing": "activation_missing",
    "slope": "activation_other_function",
    "complement": "activation_other_function",
    "compare": "activation_other_function",
    "bias": "wrong_operand",
    "ones": "wrong_operand",
}


def node_of(wrong: frozenset[Key], depth: int) -> str:
    """The first wrong array of the backward pass, if these gradients are wrong."""
    kinds = {kind for kind, _ in wrong}
    layer = max(layer for _, layer in wrong)
    if len(kinds) == 1 and len({layer for _, layer in wrong}) == len(wrong):
        return f"d{kinds.pop()}{layer}"
    return f"dZ{layer}"


def cause_of(repair: Repair, known: KnownNames, wrong: frozenset[Key]) -> str:
    """The cause of the mistake that a change mends; "" if the change doesn't say.

    `wrong` are the gradients that the change makes right.
    """
    statement, change = repair.statement, repair.change
    step = _step(statement, known, wrong)
    family = change.family
    if family in ("sign", "factor", "number") and _of_penalty(statement, change, known):
        by_n = any(n in change.put + _old(statement, change) for n in known.scope(statement.unit).rows)
        return "regulariser_sign" if family == "sign" else "regulariser_divided" if by_n else "regulariser_factor"
    if family == "sign":
        if isinstance(change.node, ast.UnaryOp) and "::" in statement.text:
            return ""  # the order of the rows
        return "activation_other_function" if step == HIDDEN and _beside_number(change) else "sign"
    if family == "factor":
        return "bias_averaged" if step == BIASES else "factor"
    if family == "mean":
        return {BIASES: "bias_averaged", FORWARD: "softmax_whole_array"}.get(step, "factor")
    if family == "number":
        return "activation_other_function" if step in (HIDDEN, FORWARD) else "factor"
    if family == "axis":
        whole = "axis" not in _old(statement, change)
        softmax = "softmax_whole_array" if whole else "softmax_axis"
        return "bias_summed_over_all" if step == BIASES else softmax
    if family == "sum":
        return {BIASES: "bias_not_summed", WEIGHTS: "elementwise_product"}.get(step, "jacobian_not_contracted")
    if family == "inserted":
        return "factor" if change.put.startswith("/=") else "activation_missing"
    if family == "penalty":
        return (
            "regulariser_missing" if change.node is not None and _is_whole(statement, change) else "regulariser_factor"
        )
    if family in ("factor dropped", "term dropped", "call dropped", "delete"):
        return _of_what_is_too_much(statement, change, known, step)
    if family in ("operand", "index", "factor added"):
        return _of_operand(statement, change, known, step)
    if family in ("function", "function missing"):
        return "activation_missing" if family == "function missing" else "activation_other_function"
    return SAME_EVERYWHERE.get(family, "")


def _step(statement: Statement, known: KnownNames, wrong: frozenset[Key]) -> str:
    kinds = {kind for kind, _ in wrong}
    several = len({layer for _, layer in wrong}) == len(wrong)
    if several and kinds == {"W"}:
        return WEIGHTS
    if several and kinds == {"b"}:
        return BIASES
    at = known.first_seen.get(statement, len(known.seen))
    forward = [i for i, one in enumerate(known.seen) if one.recognised is not None and one.recognised.name == "P"]
    derivative = [i for i, one in enumerate(known.seen) if one.recognised is not None and one.recognised.name[0] == "d"]
    if (forward and at <= forward[0]) or (not forward and all(at < i for i in derivative)):
        return FORWARD
    return HEAD if max(layer for _, layer in wrong) == known.p.depth else HIDDEN


def _old(statement: Statement, change: Change) -> str:
    return "" if change.node is None else statement.unit.text(change.node)


def _is_whole(statement: Statement, change: Change) -> bool:
    value = value_of(statement.node)
    return change.node is value or not isinstance(change.node, ast.BinOp)


def _beside_number(change: Change) -> bool:
    node = change.node
    return isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant)


def _meaning(statement: Statement, text: str, known: KnownNames) -> Recognised | None:
    meanings = known.meanings[statement.unit]
    return meanings.get(text.removesuffix(".T")) or meanings.get(re.sub(r"\[[^\]]*\]$", "", text))


def _of_penalty(statement: Statement, change: Change, known: KnownNames) -> bool:
    """Whether a change is in the derivative of the penalty."""
    if not (known.p.l2 or known.p.l2_bias) or change.node is None:
        return False
    node = change.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        node = node.right
    if isinstance(node, ast.AugAssign):
        node = node.value
    texts = [
        statement.unit.text(each) for each in inside(node) if isinstance(each, ast.Name | ast.Attribute | ast.Subscript)
    ]
    meant = [meaning.name for text in texts if (meaning := _meaning(statement, text, known)) is not None]
    derivative = any(name[:2] in ("dZ", "dA", "dP", "dW", "db") for name in meant)
    return not derivative and any(re.fullmatch(r"[Wb]\d+", name) for name in meant)


def _of_what_is_too_much(statement: Statement, change: Change, known: KnownNames, step: str) -> str:
    target = getattr(statement.node, "target", None)
    targets = statement.node.targets if isinstance(statement.node, ast.Assign) else [target]
    written = [statement.unit.text(each) for each in targets if each is not None]
    meant = [meaning.name for text in written if (meaning := _meaning(statement, text, known)) is not None]
    if any(re.fullmatch(r"[Wb]\d+.*", name) for name in meant):
        return "updated_weights"
    family, old = change.family, _old(statement, change)
    meaning = _meaning(statement, old, known)
    if family == "term dropped":
        if step == BIASES:
            return "regulariser_on_biases"
        return "labels_from_one" if old.isdigit() and step == HEAD else "activation_other_function"
    if family == "call dropped":
        if not any(f in old.lower() for f in ("softmax", *known.p.architecture.activations)):
            return ""
        return {FORWARD: "softmax_twice", HIDDEN: "activation_of_a"}.get(step, "")
    if step == HEAD:
        return "jacobian_on_top"
    if step == BIASES:
        return "bias_times_input"
    return "upstream_twice" if meaning is not None or family == "delete" else "activation_other_function"


def _of_operand(statement: Statement, change: Change, known: KnownNames, step: str) -> str:
    old, new = _meaning(statement, _old(statement, change), known), _meaning(statement, change.put, known)
    was, now = (old.name if old else ""), (new.name if new else "")
    if change.family == "factor added":
        if now[:2] in ("dZ", "dA", "dP"):
            return "upstream_dropped"
        return "input_missing" if step == WEIGHTS else "activation_other_function"
    if was.startswith("y") or (change.family == "index" and known_labels(statement, change, known)):
        return "labels_from_one" if change.family == "index" else "index_for_one_hot"
    if step in (WEIGHTS, BIASES):
        if was[:1] == "W":
            return "weights_for_input"
        if was[:2] == "dA":
            return "activation_missing"
        same_kind = was.rstrip("0123456789") == now.rstrip("0123456789") != ""
        return "wrong_layer" if same_kind or {was[:1], now[:1]} <= {"A", "X"} else "wrong_operand"
    letters, layers = (was[:1], now[:1]), (was[1:], now[1:])
    if {*letters} <= {"A", "Z", "X"} and was and now:
        if layers[0] != layers[1]:
            return "activation_other_layer"
        return "activation_of_a" if letters == ("A", "Z") else "activation_of_z"
    return "wrong_layer" if was.rstrip("0123456789") == now.rstrip("0123456789") != "" else "wrong_operand"


def known_labels(statement: Statement, change: Change, known: KnownNames) -> bool:
    """Whether labels are in what is changed."""
    names = re.findall(r"[A-Za-z_]\w*", _old(statement, change))
    meant = [_meaning(statement, name, known) for name in names]
    return any(meaning is not None and meaning.name.startswith("y") for meaning in meant)
