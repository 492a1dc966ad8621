"""glassmax doctor: what is wrong with gradients that were derived by hand, where, and why."""

from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..grouped import GroupedCommand, group, option
from ..talk import harmless, say, show, show_columns, show_json, show_painted

if TYPE_CHECKING:
    from ...learner.declarations import Understood
    from ...network import Network

MOST_LINES = 20
MOST_OUTPUTS = 500
"""With more outputs, the search takes minutes, and some possible mistakes take hundreds of megabytes."""


class FaultyFileError(click.ClickException):
    """A file that can't be diagnosed; its lines are kept, for a caret to stand under its place."""

    exit_code = 1


@click.command("doctor", cls=GroupedCommand)
@click.argument("file", required=False)
@group(
    "What to diagnose",
    option(
        "--arrays",
        "Diagnose arrays instead of code: W1, b1, dW1, db1, ..., X, y.",
        metavar="FILE.npz",
    ),
    option(
        "--template",
        "Write a Python file to start from; without FILE, print it.",
        is_flag=False,
        flag_value="-",
        metavar="FILE",
    ),
)
@group(
    "Network",
    option("--network", "Layer sizes, such as 4-10-3.", metavar="SIZES"),
    option("--activation", "Activation of the hidden layers.  [default: sigmoid]", metavar="NAME"),
    option("--output", "Output function: softmax, sigmoid, identity or relu.  [default: softmax]", metavar="NAME"),
    option(
        "--loss", "Loss: cross_entropy, squared_error, ...  [default: the one that fits the output]", metavar="NAME"
    ),
    option("--l2", "L2 penalty: l2/2 times the sum of the squared weights.", click.FloatRange(0)),
    option(
        "--declared",
        "Declare that the loss is the mean over the rows, so that any other factor is reported as a mistake.",
        is_flag=True,
    ),
)
@group(
    "Limits and output",
    option(
        "--time-limit",
        "Maximum time that FILE, and every process that it starts, may run.",
        click.FloatRange(0, 86_400, min_open=True),
        default=10.0,
        metavar="SECONDS",
    ),
    option(
        "--memory-limit",
        "Maximum memory of FILE.  [default: half of the machine's memory]",
        click.IntRange(1),
        metavar="MB",
    ),
    option(
        "--annotate",
        "Print the code of FILE with a note beside each line: what it makes, the shape, right or wrong.",
        is_flag=True,
    ),
    option("--json as_json", "Print the diagnosis as JSON.", is_flag=True),
)
def command(
    file: str | None,
    arrays: str | None,
    template: str | None,
    time_limit: float,
    memory_limit: int | None,
    annotate: bool,
    as_json: bool,
    declared: bool,
    **declarations: Any,
) -> None:
    """Check hand-derived gradients: which line is wrong, and why.

    FILE is a Python file with a function gradients(parameters, X, y). It may also have a function
    loss(parameters, X, y), values for parameters, X and y, and lines that describe the network: network = "4-10-3",
    activation, output, loss, l2. Options of these names take precedence. FILE runs in a separate process.

    \b
    Examples:
      glassmax doctor --template my_backprop.py
      glassmax doctor my_backprop.py
      glassmax doctor --annotate my_backprop.py
      glassmax doctor --arrays my.npz --network 4-10-3 --activation tanh
    """
    from ...errors import LearnerFileError

    if sum(given is not None for given in (file, arrays, template)) != 1:
        raise click.UsageError("Give a FILE, or --arrays FILE.npz, or --template: exactly one of them.")
    if annotate and file is None:
        raise click.UsageError("--annotate needs a FILE with code: arrays and the template have no lines to explain.")
    declarations["declared"] = declared or None
    understood = _understood(declarations)
    try:
        if template is not None:
            _template(template)
            return
        if file is not None:
            diagnosis = _of_file(file, time_limit, memory_limit, annotate, declarations)
        else:
            if understood.network is None:
                raise click.UsageError("--arrays needs to know the network: --network SIZES, as 4-10-3.")
            assert arrays is not None
            diagnosis = _of_arrays(arrays, understood)
    except LearnerFileError as error:
        _refuse(error)
    if as_json:
        show_json(diagnosis)
    else:
        if annotate:
            _show_listing(diagnosis.get("annotated"))
        show_painted(diagnosis["text"])
    click.get_current_context().exit(0 if diagnosis["correct"] else 1)


def _refuse(error: Exception) -> NoReturn:
    raise FaultyFileError("\n".join(map(harmless, str(error).split("\n")))) from None


def _understood(declarations: dict[str, Any]) -> "Understood":
    """Build the network that the options say, so that a wrong option is known before anything runs."""
    from ...errors import OptionError
    from ...learner.declarations import understand

    try:
        if declarations["network"] is None:
            understand({**declarations, "network": "1-1-1"})
        understood = understand(declarations)
    except OptionError as error:
        raise click.UsageError(f"--{error}") from None
    network = understood.network
    if network is not None and network.layer_sizes[-1] > MOST_OUTPUTS:
        d, k = network.layer_sizes[0], network.layer_sizes[-1]
        raise click.UsageError(
            f"--network has {k:,} outputs, expected {MOST_OUTPUTS} at most, because many possible mistakes are "
            f"computed. Pass fewer outputs, such as --network {d}-10-3: the mistake is the same for any number of "
            "classes."
        )
    return understood


def _template(path: str) -> None:
    from ...learner.template import TEMPLATE, write_template

    if path == "-":
        show(TEMPLATE)
        return
    write_template(path)
    say(f"{path} is written. It is correct as it stands; put your own code into it, then: glassmax doctor {path}")


def _of_file(
    path: str, time_limit: float, memory_limit: int | None, annotate: bool, declarations: dict[str, Any]
) -> dict[str, Any]:
    from ...doctor.diagnose_file import diagnose_file

    memory = None if memory_limit is None else memory_limit * 1_000_000
    answer = diagnose_file(path, time_limit=time_limit, memory_limit=memory, annotate=annotate, **declarations)
    if answer.printed:
        _show_prints(path, answer.printed, answer.printed_bytes)
    for note in answer.notes:
        say(note)
    return {**answer.diagnosis, "notes": list(answer.notes), "printed": answer.printed[:10_000]}


def _show_listing(plain: dict[str, Any] | None) -> None:
    """Show the code with its notes, or say why there is nothing to show."""
    from ...doctor.lines.listing import read_plain

    if plain is None:
        say("There is no listing: gradients returned nothing that can be explained, or there was no time for it.")
        return
    show_columns(read_plain(plain).rows)
    show("\n")


def _show_prints(path: str, printed: str, count: int) -> None:
    """Show the first lines of what the file printed, on stderr, told apart by a bar."""
    lines = printed.splitlines()
    shown = lines[:MOST_LINES]
    say(f"{path} printed:")
    for line in shown:
        say(f"  | {line[:200]}")
    left = count - len("\n".join(shown).encode()) - 1
    if len(lines) > MOST_LINES or left > 200:
        say(f"  | ... and {left} bytes more")


def _of_arrays(path: str, understood: "Understood") -> dict[str, Any]:
    from ...doctor import Diagnosis, diagnose
    from ...doctor.diagnose_file import try_activations
    from ...doctor.telling.json_form import plain_diagnosis
    from ...errors import LabelError, LearnerFileError, ShapeError
    from ...learner.array_file import read_array_file

    file = read_array_file(path)

    def judge(network: "Network") -> Diagnosis:
        declared = understood.declared
        return diagnose(file.gradients, file.X, file.y, network=network, parameters=file.parameters, declared=declared)

    try:
        diagnosis, notes = try_activations(judge, understood)
    except (LabelError, ShapeError) as error:
        raise LearnerFileError(f"{path}: {error}") from None
    for note in [*file.notes, *notes]:
        say(note)
    return plain_diagnosis(diagnosis) | {"notes": [*file.notes, *notes]}
