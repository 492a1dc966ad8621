"""glassmax completion: the script by which a shell completes commands, options and columns."""

import os

import click

from .talk import show

__all__ = ["column_names", "command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script for shell completion: of commands, options and the columns of a table.

    \b
    Examples:
      eval "$(glassmax completion bash)"          # in ~/.bashrc
      eval "$(glassmax completion zsh)"           # in ~/.zshrc
      glassmax completion fish > ~/.config/fish/completions/glassmax.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    show(kind(ctx.find_root().command, {}, "glassmax", "_GLASSMAX_COMPLETE").source() + "\n")


def column_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the columns of the table on the command line whose names begin with what has been typed."""
    from click.shell_completion import split_arg_string

    from ..errors import GlassmaxError
    from ..table import BUILTIN, read_batches

    line = os.environ.get("COMP_WORDS", "")  # all of it: click has parsed it up to the cursor only
    words = split_arg_string(line)[2:]
    data = ctx.params.get("data") or next((word for word in words if word in BUILTIN or os.path.isfile(word)), None)
    try:
        names = [] if data is None else next(iter(read_batches(str(data)))).names
    except GlassmaxError:
        return []
    return [name for name in names if name.startswith(incomplete)]
