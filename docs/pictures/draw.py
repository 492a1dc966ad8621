"""Draw ``derivation.png``: a derivation as a page shows it, by a Chromium that runs without a window.

    python docs/pictures/draw.py [CHROMIUM]

The page asks the network for nothing; its fonts are those of the machine.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import glassmax as gm

HERE = Path(__file__).resolve().parent
SIZE = "960,565"
STYLE = """
body { margin: 0; padding: 18px 26px; background: white; color: #1b1f24; font: 15px 'DejaVu Sans', sans-serif }
code { font: 14px 'DejaVu Sans Mono', monospace } math { font-size: 17px; math-style: normal }
table { border-collapse: collapse; width: 100%; margin-bottom: 10px }
td { padding: 7px 12px 7px 0; border-bottom: 1px solid #e3e6ea }
td:nth-child(3) { white-space: nowrap } td:nth-child(4) { color: #57606a; font-size: 12px }
td:nth-child(5) { color: #1a7f4b; font-size: 12px; text-align: right; white-space: nowrap; padding-right: 0 }
td:nth-child(5)::before { content: "proved to " }
p { margin: 0 0 4px } p:last-of-type { color: #1a7f4b }
"""


def main():
    """Write the page, and take its picture."""
    derivation = gm.derive("L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)", wrt="z", assume="sum_k y_k = 1")
    page = f"<!doctype html><meta charset='utf-8'><style>{STYLE}</style>{derivation.html()}"
    chromium = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "derivation.html"
        source.write_text(page, encoding="utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
        ]
        shot = [f"--screenshot={HERE / 'derivation.png'}", f"--window-size={SIZE}", "--force-device-scale-factor=1.5"]
        subprocess.run([chromium, *options, *shot, source.as_uri()], check=True, timeout=60, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
