"""Commands whose --help shows the options in groups, in the order of the code, and the exit codes."""

from collections.abc import Callable
from typing import Any

import click

__all__ = ["GroupedCommand", "option"]

EXIT_CODES = "0: success. 1: an error in the data or in a file. 2: an error in the command line. 130: interrupted."


class GroupedOption(click.Option):
    """An option that knows its group."""

    def __init__(self, *arguments: Any, group: str = "Options", **settings: Any) -> None:
        short = {click.IntRange: "N", click.FloatRange: "NUMBER"}.get(type(settings.get("type")))
        settings = {"metavar": short, **settings} if short else settings
        if isinstance(settings.get("default"), str | int | float) and not isinstance(settings["default"], bool):
            settings = {"show_default": True, **settings}
        super().__init__(*arguments, **settings)
        self.group = group


def option(group: str, *names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return a decorator that adds an option of a group to a command."""
    return click.option(*names, cls=GroupedOption, group=group, **settings)


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
