"""The command line: one module for each command, loaded when it is called.

Results go to stdout, everything else to stderr. Exit codes: 0 for success, 1 for an error in the data or a file, 2 for
an error in the command line, 130 where Ctrl-C ended it. An error is one to three lines; its traceback is printed by
``glassmax --debug COMMAND`` alone. A command reads options, calls the library and prints; it computes nothing.
"""

import io
import os
import sys
import traceback
import warnings
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module

import click

from ..errors import GlassmaxError, OptionError
from ..interrupts import restore, was_interrupted
from ..version import __version__
from .mpi_ranks import is_silent
from .talk import harmless, say_error, shortened
from .wording import worded_error

__all__ = ["main"]

COMMANDS = ("train", "predict", "evaluate", "explain", "derive", "check", "doctor", "playground", "info", "completion")
LONGEST_FAULT = 1500  # a name from a damaged file may have any length


class Commands(click.Group):
    """The commands by name; each is in the module of its name in `commands` and is loaded when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f".commands.{cmd_name}", __name__).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, offering all of them where the name is unknown."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0].startswith("-"):
                raise
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            message = f"There is no command {args[0]!r}, expected one of {', '.join(COMMANDS)}.{hint}"
            raise click.UsageError(message, ctx) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="glassmax %(version)s")
@click.option("--debug", is_flag=True, help="Print the traceback of an error.")
def glassmax(debug: bool) -> None:
    """The softmax classifier you can see through.

    \b
    Example:
      glassmax train digits
    """


def main() -> None:
    """Run the command line and end the process with its exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]  # wherever it stands
    debug = len(arguments) < len(sys.argv) - 1
    if not debug:
        warnings.simplefilter("ignore")  # what a library has to say to programmers
    if is_silent(arguments):
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    try:  # main returns the code of ctx.exit, or None
        restore()
        sys.exit(glassmax.main(arguments, prog_name="glassmax", standalone_mode=False) or 0)
    except click.ClickException as error:
        usage = io.StringIO()
        error.show(usage)
        message = error.format_message()
        click.echo(usage.getvalue().removesuffix(f"Error: {message}\n"), err=True, nl=False)
        say_error(message)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fault("Interrupted. Nothing was written.", 130, debug)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        _drop_output()
        sys.exit(1)
    except OptionError as error:
        _fault(worded_error(error), 2, debug)
    except GlassmaxError as error:
        _fault(worded_error(error), 1, debug)
    except MemoryError:
        _fault("There is not enough memory for this. Try fewer rows or a smaller network.", 1, debug)
    except OSError as error:  # a full disk behind stdout; files are answered for where they are opened
        _drop_output()
        what = f"{error.filename}:" if error.filename else "The output can't be written:"
        _fault(f"{what} {error.strerror}.", 1, debug)
    except BaseException as error:  # a fault of ours: still no traceback, but the way to one
        if isinstance(error, SystemExit):
            raise
        if was_interrupted(error):  # while a library was loaded, which made another error of it
            _fault("Interrupted. Nothing was written.", 130, debug)
        _fault(
            f"glassmax has failed, which is its own fault: {type(error).__name__}: {error}",
            1,
            debug,
            "Run `glassmax --debug ...` to see where, and report it.",
        )


def _drop_output() -> None:
    """Send what stdout still holds nowhere, so that Python doesn't try again when it ends."""
    with suppress(OSError, AttributeError):  # stdout may be closed, or no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fault(message: str, code: int, debug: bool, *more: str) -> None:
    if debug:
        traceback.print_exc()
    if code == 130:
        click.echo(message, err=True)
    else:
        say_error("\n".join([shortened(harmless(message), LONGEST_FAULT), *more]))
    sys.exit(code)


def __dir__() -> list[str]:
    return __all__
