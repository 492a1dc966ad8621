"""Draw the README's pictures: a derivation and the trace of a batch, by a Chromium that runs without a window.

    python docs/pictures/draw.py [CHROMIUM]

The page asks the network for nothing; its fonts are those of the machine.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import glassmax as gm
from glassmax.tracing.toy import toy

HERE = Path(__file__).resolve().parent
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]


def main():
    """Write each page, and take its picture."""
    derivation = gm.derive("L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)", wrt="z", assume="sum_k y_k = 1")
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder)
        (pages / "derivation.html").write_text(derivation.html(), encoding="utf-8")
        gm.trace(*toy()).to_html(pages / "trace.html")
        draw(pages / "derivation.html", "1060,1390")
        draw(pages / "trace.html", "1200,1815")


def draw(page, size):
    """Take a picture of a page's first `size` pixels."""
    chromium = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    shot = [f"--screenshot={HERE / page.stem}.png", f"--window-size={size}", "--force-device-scale-factor=1.5"]
    subprocess.run([chromium, *OPTIONS, *shot, page.as_uri()], check=True, timeout=60, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
