"""Commands whose --help shows the options in groups, in the order of the code, and the exit codes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .option_values import fault_of, finite, words
from .talk import be_quiet

if TYPE_CHECKING:
    from ..table import Encoding

__all__ = ["FILE_FORMAT", "RESULT", "GroupedCommand", "file_format", "group", "option"]

EXIT_CODES = "0: success. 1: an error in the data or in a file. 2: an error in the command line. 130: interrupted."


class GroupedOption(click.Option):
    """An option that knows its group."""

    def __init__(self, *arguments: Any, group: str = "Options", **settings: Any) -> None:
        if isinstance(settings.get("type"), click.IntRange):
            settings = {"metavar": "N", **settings}
        if isinstance(settings.get("type"), click.FloatRange):
            settings = {"metavar": "NUMBER", "callback": finite, **settings}
        if isinstance(settings.get("default"), str | int | float) and not isinstance(settings["default"], bool):
            settings = {"show_default": True, **settings}
        super().__init__(*arguments, **settings)
        self.group = group

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Convert and check a value; an error names the option, or the file and the key that set it."""
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            raise
        except click.BadParameter as error:
            option = max(self.opts, key=len)
            if ctx.get_parameter_source(str(self.name)) is click.core.ParameterSource.DEFAULT_MAP:
                option = f"{ctx.params.get('config')}: {option.lstrip('-')}"
            raise click.UsageError(f"{option} {fault_of(self.type, value) or error.message}", ctx) from None


def option(names: str, text: str, kind: Any = None, **settings: Any) -> tuple[list[str], dict[str, Any]]:
    """Describe an option by its names, separated by spaces, its help, its type and click's other settings."""
    return names.split(), settings | {"help": text} | ({} if kind is None else {"type": kind})


def group(name: str, *options: tuple[list[str], dict[str, Any]]) -> Callable[[Any], Any]:
    """Return a decorator that adds a group of options to a command."""

    def decorate(command: Any) -> Any:
        for names, settings in reversed(options):
            command = click.option(*names, cls=GroupedOption, group=name, **settings)(command)
        return command

    return decorate


FILE_FORMAT = (
    option("--delimiter", "Character between the cells of a CSV file.  [default: detected]", metavar="CHAR"),
    option("--decimal", "Decimal separator.  [default: detected]", type=click.Choice([".", ","])),
    option("--encoding", "Encoding of a text file: utf-8, utf-16, latin-1, ...  [default: detected]", metavar="NAME"),
    option(
        "--header/--no-header header",
        "Whether a CSV file has a header; without one, the columns are called c1, c2, ...  [default: header]",
        default=None,
    ),
    option(
        "--missing-words",
        "Words that mean a missing cell, separated by commas; '' for none.  [default: NA, NaN, null, None, ...]",
        metavar="WORDS",
        callback=words,
    ),
)
"""Options for files of text."""


def file_format(options: dict[str, Any], encoding: "Encoding | None" = None) -> dict[str, Any]:
    """Return what `FILE_FORMAT` has set, as `read_table` takes it; otherwise what the model's encoding says."""
    names = ("delimiter", "decimal", "encoding", "header", "missing_words")
    learned = {} if encoding is None else encoding.reading
    return {name: learned.get(name) if options[name] is None else options[name] for name in names}


RESULT = (
    option("--json as_json", "Print the result as JSON.", is_flag=True),
    option("--quiet -q", "Print only the result and errors.", is_flag=True, callback=be_quiet),
)
"""Options for the output."""


class GroupedCommand(click.Command):
    """A command that shows its options in their groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, then the exit codes."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                groups.setdefault(getattr(param, "group", "Help"), []).append(record)
        groups["Help"] = groups.pop("Help", [])
        for name, records in groups.items():
            with formatter.section(name):
                formatter.write_dl(records)
        with formatter.section("Exit codes"):
            formatter.write_text(EXIT_CODES)
