"""glassmax completion: the script by which a shell completes commands, options and columns."""

import click

from ..talk import show

__all__ = ["command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a shell script that completes commands and options.

    It also completes the names of columns, once the table is on the command line.

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
