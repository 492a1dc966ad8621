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
SIZE = "1060,1390"


def main():
    """Write the page, and take its picture."""
    derivation = gm.derive("L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)", wrt="z", assume="sum_k y_k = 1")
    chromium = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "derivation.html"
        source.write_text(derivation.html(), encoding="utf-8")
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
