"""The look that all pages share, and one self-contained HTML file out.

::

    document     `page`: a whole file with its style, scripts, data and content-security policy; `fragment`, the same
                 look inside a notebook; `packaged`, the text of style sheets and scripts that lie beside a module
    tables       `table`: headings and rows, numbers aligned at the decimal point
    numbers      `aligned`: an array of numbers as text, all with the same number of decimals
    shades       the diverging palette around zero that the cells of a matrix are colored with
    mathematics  formulas in MathML: `math`, `identifier`, `script`, `fraction`, `total`, ...
    plots        curves, bars and histograms as plain SVG
    style/       the style sheets: `look.css` for pages and notebooks, `page.css` for pages
    script/      `look.js`: what all scripts need, the same numbers and colors as in Python

A page opens from disk, asks the network for nothing, and runs only the scripts that `page` was given. The parts of
`body` are HTML: whatever came from data goes through `escape` first (`table` and `mathematics` do that themselves).

Colors are properties of CSS, each with a value for light and one for dark::

    --paper --surface                  the background, and that of boxes on it
    --ink --quiet --line               text, secondary text, rules
    --accent                           links, the focus, what is selected
    --positive --negative --zero       the cells of a matrix, to be mixed (`shade`); dark text on them can be read
    --positive-text --negative-text    the same two colors for text and strokes
    --good --bad                       verdicts
    --series-1 ... --series-6          the curves of a plot
    --sans --serif --math --mono       stacks of fonts that are on the machine: words, titles, formulas, code

This package imports nothing but the standard library. It knows no model, no data and no mathematics.
"""

from . import mathematics
from .document import escape, fragment, packaged, page
from .numbers import aligned, number
from .plots import bars, curves, histogram
from .shades import shade, strength
from .tables import table

__all__ = [
    "aligned",
    "bars",
    "curves",
    "escape",
    "fragment",
    "histogram",
    "mathematics",
    "number",
    "packaged",
    "page",
    "shade",
    "strength",
    "table",
]


def __dir__() -> list[str]:
    return __all__
