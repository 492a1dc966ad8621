"""glassmax check: a derivation on paper, checked line by line."""

import click

from ..grouped import GroupedCommand, group, option
from ..output_paths import check_page_output
from ..talk import harmless, say, show, show_checked, show_json

__all__ = ["command"]


@click.command("check", cls=GroupedCommand)
@click.argument("file")
@group(
    "What to check",
    option("--goal", "Derivative to arrive at, such as dL/dW_1. The missing lines are shown.", metavar="DERIVATIVE"),
    option(
        "--kind",
        "How to read FILE: as Markdown, as LaTeX or as plain text.  [default: by the ending of FILE]",
        type=click.Choice(["markdown", "tex", "text"]),
    ),
)
@group(
    "Output",
    option("--html", "Write a web page: every line typeset, with its verdict and its reason.", metavar="FILE"),
    option("--markdown", "Print the checked lines as Markdown.", is_flag=True),
    option("--json as_json", "Print the checked lines as JSON.", is_flag=True),
)
def command(file: str, goal: str | None, kind: str | None, html: str | None, markdown: bool, as_json: bool) -> None:
    """Check a derivation on paper: which line does not follow, and why.

    FILE is Markdown (.md), LaTeX (.tex) or plain text (.txt); - is standard input. Write the definitions and the lines
    as you would for a reader. Every line is compared with the exact derivative on random numbers. For a wrong line, the
    mistake is named, and the line is printed as it should read. The exit code is 1 if a line is wrong.

    \b
    Examples:
      glassmax check derivation.md
      glassmax check derivation.md --html checked.html
      glassmax check derivation.tex --goal dL/dW_1
    """
    from ...proofreading import check_derivation
    from ...proofreading.derivation_file import kind_of, read_derivation

    formats = [name for name, asked in (("json", as_json), ("markdown", markdown), ("html", html is not None)) if asked]
    if len(formats) > 1:
        raise click.UsageError(f"--{' and --'.join(formats)} can't be combined. Leave all but one of them out.")
    page = None if html is None else check_page_output(html, file, option="--html")
    text = read_derivation(file)
    checked = check_derivation(text, goal=goal, kind=kind or kind_of(text, file))
    if as_json:
        show_json(checked.to_dict())
    elif markdown:
        show(checked.to_markdown() + "\n")
    elif page is not None:
        checked.to_html(page)
        say(f"{checked.summary} The page is in {harmless(str(page))}. It opens in any browser, offline.")
    else:
        show_checked(checked)
    click.get_current_context().exit(0 if checked.correct else 1)
