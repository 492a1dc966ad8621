"""glassmax derive: from equations to a gradient, every line proved."""

from typing import TYPE_CHECKING, Any

import click

from .talk import harmless, show_json, show_painted

if TYPE_CHECKING:
    from ..calculus import Derivation

FORMATS = {
    "numpy": "NumPy",
    "latex": "LaTeX",
    "mathml": "MathML",
    "html": "HTML",
    "markdown": "Markdown",
    "json": "JSON",
}


class WrongExpressionError(click.ClickException):
    """An expression that can't be read: the command line is at fault."""

    exit_code = 2


def _format_options(command: Any) -> Any:
    for name, shown in reversed(FORMATS.items()):
        text = f"Print {'every line' if name in ('html', 'markdown', 'json') else 'the result'} as {shown}."
        command = click.option(f"--{name}", "form", flag_value=name, help=text)(command)
    return command


@click.command("derive")
@click.argument("equations", required=False)
@click.option("--wrt", "-w", multiple=True, metavar="NAME", help="Variable of the derivative; twice for a Hessian.")
@click.option("--of", metavar="NAME", help="Quantity to differentiate.  [default: the one that no other equation uses]")
@click.option("--cell", metavar="NAME[i,j]", help="Like --wrt, for one entry, with names for its indices.")
@click.option(
    "--assume",
    "-a",
    multiple=True,
    metavar="EQUATION",
    help="Equation to assume, such as 'sum_k y_k = 1'. May be repeated.",
)
@click.option("--times", metavar="NAME", help="Multiply the result by an array: a Hessian-vector product.")
@click.option("--cases", is_flag=True, help="Show each Kronecker delta as two cases.")
@click.option("--einstein", is_flag=True, help="Sum over an index that appears twice in a product.")
@click.option("--matrix", is_flag=True, help="Read the equations as matrix notation, such as X @ W + b.")
@click.option("--shapes", metavar="TEXT", help="Axes of the arrays, with --matrix, such as 'X: n,d; b: k'.")
@click.option(
    "--network",
    metavar="SIZES",
    help="Layer sizes of a dense network to derive for, such as 4-10-3; replaces the equations.",
)
@click.option(
    "--activation",
    default="sigmoid",
    show_default=True,
    metavar="NAME",
    help="Activation of the hidden layers, with --network; f stands for any function.",
)
@click.option("--output", default="softmax", show_default=True, metavar="NAME", help="Output function, with --network.")
@click.option("--loss", default="cross_entropy", show_default=True, metavar="NAME", help="Loss, with --network.")
@click.option(
    "--rule",
    metavar="NAME",
    help="Function of glassmax.functional to derive, such as softmax_vjp; replaces the equations.",
)
@_format_options
def command(form: str | None, cases: bool, **asked: Any) -> None:
    """Derive a gradient, a Jacobian or a Hessian, step by step.

    EQUATIONS are in index notation, in plain text, separated by semicolons, in any order. Before anything is printed,
    every line is evaluated on random numbers and compared with a complex-step derivative.

    \b
    Examples:
      glassmax derive 'L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)' --wrt z --assume 'sum_k y_k = 1'
      glassmax derive --matrix 'L = -sum(Y * log(softmax(X @ W + b))) / N' --wrt W
      glassmax derive --network 4-10-3 --activation sigmoid --wrt W1
    """
    from ..errors import ExpressionError

    try:
        derivations = _derivations(asked)
    except ExpressionError as error:
        raise WrongExpressionError("\n".join(map(harmless, str(error).split("\n")))) from None
    for derivation in derivations:
        _show(derivation, form, cases)
    if not all(derivation.proved for derivation in derivations):
        click.get_current_context().exit(1)


def _show(derivation: "Derivation", form: str | None, cases: bool) -> None:
    if form == "json":
        show_json(derivation.json())
    elif form is None or not derivation.proved:
        show_painted(derivation.text(cases=cases))
    else:
        click.echo(getattr(derivation, form)())


def _derivations(asked: dict[str, Any]) -> "list[Derivation]":
    from ..calculus import derive

    given = [name for name in ("equations", "network", "rule") if asked[name]]
    if len(given) != 1:
        raise click.UsageError("Give equations, or --network SIZES, or --rule NAME: exactly one of them.")
    if asked["rule"]:
        return _rule(asked["rule"])
    wrt = [*asked["wrt"], *([asked["cell"]] if asked["cell"] else [])]
    if not wrt:
        raise click.UsageError("Say what to differentiate by: --wrt NAME.")
    if asked["network"]:
        return [_network(wrt[0], asked)]
    return [
        derive(
            asked["equations"],
            wrt,
            of=asked["of"],
            assume=asked["assume"],
            times=asked["times"],
            einstein=asked["einstein"],
            matrix=asked["matrix"],
            shapes=asked["shapes"],
        )
    ]


def _network(wrt: str, asked: dict[str, Any]) -> "Derivation":
    from ..calculus.networks import ACTIVATION_EQUATIONS, LOSS_EQUATIONS, OUTPUT_EQUATIONS, derive_network
    from ..errors import one_of

    sizes = asked["network"].split("-")
    if len(sizes) < 2 or not all(size.isdecimal() and int(size) for size in sizes):
        raise click.UsageError(f"--network is {asked['network']!r}, expected sizes as 4-10-3.")
    one_of("--activation", asked["activation"], ACTIVATION_EQUATIONS)
    one_of("--output", asked["output"], OUTPUT_EQUATIONS)
    one_of("--loss", asked["loss"], LOSS_EQUATIONS)
    return derive_network(wrt, [asked["activation"]] * (len(sizes) - 2), asked["output"], asked["loss"])


def _rule(name: str) -> "list[Derivation]":
    from ..calculus.functional import FUNCTIONAL_EQUATIONS, derive_function
    from ..errors import one_of

    return derive_function(one_of("--rule", name, FUNCTIONAL_EQUATIONS))
