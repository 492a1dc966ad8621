"""glassmax derive: from equations to a gradient, every line proved."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from ..grouped import GroupedCommand, group, option
from ..talk import harmless, say, show_json, show_painted
from ..wording import worded_error

if TYPE_CHECKING:
    from ...calculus import Derivation

FORMATS = {
    "numpy": "Print only the result, as a Python function.",
    "latex": "Print only the right side of the result, as LaTeX.",
    "mathml": "Print only the right side of the result, as MathML.",
    "html": "Print every line as a web page.",
    "markdown": "Print every line as Markdown.",
    "json": "Print every line and the result as JSON.",
}
RESULT_ALONE = ("numpy", "latex", "mathml")
"""Formats that print the result without the assumptions."""
CHANGES = {
    "equations": ("wrt", "cell", "of", "assume", "times", "einstein", "fixed", "matrix"),
    "network": ("wrt", "cell", "activation", "output", "loss"),
    "matrix": ("shapes",),
}
"""Which options change something with equations, with --network and with --matrix."""


class WrongExpressionError(click.ClickException):
    """What can't be read or derived: the command line is at fault."""

    exit_code = 2


@click.command("derive", cls=GroupedCommand)
@click.argument("equations", required=False)
@group(
    "What to derive",
    option("--wrt -w", "Variable of the derivative; pass it twice for a Hessian.", multiple=True, metavar="NAME"),
    option("--of", "Quantity to differentiate.  [default: the one that no other equation uses]", metavar="NAME"),
    option("--cell", "Differentiate with respect to one entry, and name its indices: W2[m,n].", metavar="NAME[i,j]"),
    option("--assume -a", "Equation to assume: 'sum_k y_k = 1'. May be repeated.", multiple=True, metavar="EQUATION"),
    option("--times", "Multiply the result by an array, as for a Hessian-vector product.", metavar="NAME"),
)
@group(
    "Notation of the equations",
    option("--einstein", "Sum over an index that appears twice in a product.", is_flag=True),
    option(
        "--fixed", "Letter of one fixed index, such as the true class. The letter y needs no option.", metavar="LETTER"
    ),
    option("--matrix", "Read the equations as matrix notation, such as X @ W + b.", is_flag=True),
    option("--shapes", "Axes of the arrays, with --matrix, such as 'X: n,d; b: k'.", metavar="TEXT"),
)
@group(
    "Instead of equations",
    option("--network", "Layer sizes of the dense network to differentiate, such as 4-10-3.", metavar="SIZES"),
    option(
        "--activation",
        "Activation of the hidden layers, with --network. Pass f for an unspecified function.  [default: sigmoid;"
        " relu in gm.Network]",
        metavar="NAME",
    ),
    option("--output", "Output function, with --network.  [default: softmax]", metavar="NAME"),
    option("--loss", "Loss, with --network.  [default: cross_entropy]", metavar="NAME"),
    option("--rule", "Function of glassmax.functional to derive, such as softmax_vjp.", metavar="NAME"),
)
@group(
    "Output",
    option("--cases", "Show each Kronecker delta as two cases.", is_flag=True),
    *(option(f"--{form}", text, is_flag=True) for form, text in FORMATS.items()),
)
def command(cases: bool, **asked: Any) -> None:
    """Derive a gradient, a Jacobian or a Hessian, step by step.

    EQUATIONS are in index notation, in plain text, separated by semicolons, in any order. Before anything is printed,
    every line is evaluated on random numbers and compared with a complex-step derivative.

    \b
    Examples:
      glassmax derive 'L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)' --wrt z --assume 'sum_k y_k = 1'
      glassmax derive --matrix 'L = -sum(Y * log(softmax(X @ W + b))) / N' --wrt W
      glassmax derive --network 4-10-3 --activation sigmoid --wrt W1
    """
    from ...errors import GlassmaxError

    forms = [form for form in FORMATS if asked.pop(form)]
    if len(forms) + cases > 1:
        chosen = " and ".join(f"--{name}" for name in [*forms, *["cases"] * cases])
        raise click.UsageError(f"{chosen} can't be combined. Leave all but one of them out.")
    try:
        derivations = _derivations(asked)
        _show(derivations, forms[0] if forms else None, cases)
    except GlassmaxError as error:
        place = str(error).split("\n")[1:]
        raise WrongExpressionError("\n".join(map(harmless, [worded_error(error), *place]))) from None
    if not all(derivation.proved for derivation in derivations):
        click.get_current_context().exit(1)


def _show(derivations: "list[Derivation]", form: str | None, cases: bool) -> None:
    if form == "html" and all(derivation.proved for derivation in derivations):
        from ...calculus.formats import as_html

        click.echo(as_html(*derivations))
        return
    for derivation in derivations:
        if form == "json":
            show_json(derivation.json())
        elif form is None or not derivation.proved:
            show_painted(derivation.text(cases=cases))
        else:
            click.echo(getattr(derivation, form)())
            if form in RESULT_ALONE and derivation.unused_note:
                say(derivation.unused_note)


def _derivations(asked: dict[str, Any]) -> "list[Derivation]":
    from ...calculus import derive

    if sum(bool(asked[source]) for source in ("equations", "network", "rule")) != 1:
        raise click.UsageError("Give equations, or --network SIZES, or --rule NAME: exactly one of them.")
    for name, value in asked.items():
        needed = [other for other, options in CHANGES.items() if name in options]
        if value and needed and not any(asked[other] for other in needed):
            what = " or ".join(f"--{other}" for other in needed).replace("--equations", "equations")
            raise click.UsageError(f"--{name} changes nothing without {what}. Leave it out.")
    if asked["rule"]:
        return _rule(asked["rule"])
    wrt = [*asked["wrt"], *([asked["cell"]] if asked["cell"] else [])]
    if not wrt:
        raise click.UsageError("Name the variable of the derivative: --wrt NAME.")
    if asked["network"]:
        return [_network(wrt, asked)]
    options = {name: asked[name] for name in ("of", "assume", "times", "einstein", "matrix", "shapes")}
    options["fixed"] = asked["fixed"] or ()
    return [derive(asked["equations"], wrt, **options)]


def _network(wrt: list[str], asked: dict[str, Any]) -> "Derivation":
    from ...calculus.networks import ACTIVATION_EQUATIONS, LOSS_EQUATIONS, OUTPUT_EQUATIONS, derive_network
    from ...errors import one_of

    sizes = asked["network"].split("-")
    if len(sizes) < 2 or not all(size.isdecimal() and int(size) for size in sizes):
        raise click.UsageError(f"--network is {asked['network']!r}, expected sizes as 4-10-3.")
    if len(wrt) > 1:
        raise click.UsageError("--network gives first derivatives only. Give --wrt or --cell once.")
    activation = one_of("--activation", asked["activation"] or "sigmoid", ACTIVATION_EQUATIONS)
    output = one_of("--output", asked["output"] or "softmax", OUTPUT_EQUATIONS)
    loss = one_of("--loss", asked["loss"] or "cross_entropy", LOSS_EQUATIONS)
    return derive_network(wrt[0], [activation] * (len(sizes) - 2), output, loss)


def _rule(name: str) -> "list[Derivation]":
    from ...calculus.functional import FUNCTIONAL_EQUATIONS, derive_function
    from ...errors import OptionError

    if name not in FUNCTIONAL_EQUATIONS:
        near = get_close_matches(name.casefold(), FUNCTIONAL_EQUATIONS, n=1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise OptionError(f"--rule is {name!r}. {guess}Expected one of {', '.join(FUNCTIONAL_EQUATIONS)}.")
    return derive_function(name)
