"""glassmax playground: the page in which a network learns, as one HTML file."""

import click

from ..grouped import GroupedCommand, group, option
from ..output_paths import check_page_output
from ..talk import say, show_json

__all__ = ["command"]


@click.command("playground", cls=GroupedCommand)
@group(
    "Output",
    option("--output -o", "HTML file to write.", metavar="FILE", default="playground.html"),
    option("--json", "Print the path and the size as JSON.", is_flag=True),
)
def command(output: str, json: bool) -> None:
    """Write the playground: a page in which a network learns and each of its matrices can be seen.

    The page is one file of less than 400 kB. It opens from disk in any browser, without a network connection, and has
    glassmax's engine inside. Tables that are opened in the page stay in the browser.

    \b
    Examples:
      glassmax playground
      glassmax playground -o page.html
    """
    path = check_page_output(output)
    from ...files import write_whole
    from ...playground import build

    content = build().encode()
    write_whole(path, content)
    if json:
        show_json({"path": str(path), "bytes": len(content)})
    else:
        say(f"Wrote {path}, {len(content) / 1000:.0f} kB. Open it in a browser.")
