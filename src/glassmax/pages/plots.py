"""Curves, bars and histograms as plain SVG: no script, no library, light and dark by the style sheet.

Each function returns an ``<svg>`` element as wide as its place. `title` is what a screen reader says of the picture;
`x` and `y` are what the axes show; `height` is in units of which the picture is 640 wide.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

from .numbers import number

__all__ = ["bars", "curves", "histogram"]

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 110, 12, 40
SERIES = 6


def curves(
    series: Mapping[str, Sequence[tuple[float, float]]], *, x: str, y: str, title: str, height: int = HEIGHT
) -> str:
    """Draw one line for each series, at most six, its name at its end; points that are not finite leave a gap."""
    points = [p for line in series.values() for p in line if isfinite(p[0]) and isfinite(p[1])]
    frame = _Frame([p[0] for p in points], [p[1] for p in points], height)
    parts = [frame.axes(x, y)]
    ends = []
    for place, (name, line) in enumerate(series.items(), start=1):
        pieces, pen = [], "M"
        for point in line:
            if not (isfinite(point[0]) and isfinite(point[1])):
                pen = "M"
                continue
            pieces.append(f"{pen}{frame.x(point[0]):.1f} {frame.y(point[1]):.1f}")
            pen = "L"
        color = f"var(--series-{(place - 1) % SERIES + 1})"
        parts.append(f'<path class="series" stroke="{color}" d="{"".join(pieces)}"/>')
        last = [p for p in line if isfinite(p[0]) and isfinite(p[1])]
        if last:
            ends.append((frame.y(last[-1][1]), frame.x(last[-1][0]), name, color))
    parts += _names(ends)
    return _svg(parts, title, height)


def bars(values: Mapping[str, float], *, title: str, digits: int = 4) -> str:
    """Draw one horizontal bar for each value from zero to the right or left; `digits` is as for `aligned`."""
    step, names = 26, min(220, 14 + 7 * max(map(len, values), default=0))
    low, high = min([0.0, *values.values()]), max([0.0, *values.values()])
    scale = (WIDTH - names - 150) / ((high - low) or 1.0)
    zero = names + 70 - low * scale
    parts = []
    for place, (name, value) in enumerate(values.items()):
        top, end = place * step + 4, zero + value * scale
        color = "--positive-text" if value >= 0 else "--negative-text"
        side, gap = ("start", 6) if value >= 0 else ("end", -6)
        parts += [
            f'<text x="{names}" y="{top + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="bar" fill="var({color})" x="{min(zero, end):.1f}" y="{top}" '
            f'width="{abs(end - zero):.1f}" height="18" rx="1"/>',
            f'<text x="{end + gap:.1f}" y="{top + 13}" text-anchor="{side}">{number(value, digits)}</text>',
        ]
    height = step * len(values) + 4
    parts.append(f'<path class="axis" d="M{zero:.1f} 0V{height}"/>')
    return _svg(parts, title, height)


def histogram(edges: Sequence[float], counts: Sequence[float], *, x: str, title: str, height: int = 160) -> str:
    """Draw a histogram from its counts and its increasing edges, of which there is one more."""
    frame = _Frame(edges, [0.0, *counts], height)
    parts = [frame.axes(x, "")]
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        top, bottom = frame.y(count), frame.y(0.0)
        color = "--positive-text" if left + right >= 0 else "--negative-text"
        parts.append(
            f'<rect class="bar" fill="var({color})" x="{frame.x(left) + 0.5:.1f}" y="{top:.1f}" '
            f'width="{max(frame.x(right) - frame.x(left) - 1, 0.5):.1f}" height="{bottom - top:.1f}"/>'
        )
    return _svg(parts, title, height)


class _Frame:
    """Where numbers lie in the picture."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float], height: int) -> None:
        self.left, self.right = _range(xs)
        self.low, self.high = _range(ys)
        self.bottom = height - BOTTOM

    def x(self, value: float) -> float:
        return LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - TOP)

    def axes(self, x: str, y: str) -> str:
        parts = [f'<path class="axis" d="M{LEFT} {self.bottom}H{WIDTH - RIGHT}"/>']
        parts += [
            f'<text x="{self.x(tick):.1f}" y="{self.bottom + 17}" text-anchor="middle">{_short(tick)}</text>'
            for tick in _ticks(self.left, self.right, 5)
        ]
        for tick in _ticks(self.low, self.high, 4 if self.bottom > 150 else 2):
            parts += [
                f'<path class="axis" d="M{LEFT} {self.y(tick):.1f}H{WIDTH - RIGHT}"/>',
                f'<text x="{LEFT - 8}" y="{self.y(tick) + 4:.1f}" text-anchor="end">{_short(tick)}</text>',
            ]
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{self.bottom + 36}" text-anchor="middle">{escape(x)}</text>')
        if y:
            parts.append(f'<text x="{WIDTH - RIGHT + 6}" y="{TOP + 4}">{escape(y)}</text>')
        return "".join(parts)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high:
        return low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    return low, high


def _ticks(low: float, high: float, wanted: int) -> list[float]:
    """Return round numbers between two ends, about as many as wanted."""
    rough = (high - low) / wanted
    power = 10.0 ** floor(log10(rough))
    step = power * min((m for m in (1, 2, 5, 10) if m * power >= rough), default=10)
    return [k * step for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _names(ends: list[tuple[float, float, str, str]]) -> list[str]:
    """Write the names at the ends of the lines, moved apart where they would touch."""
    parts, lowest = [], -20.0
    for height, right, name, color in sorted(ends):
        lowest = max(height + 4, lowest + 15)
        parts.append(f'<text x="{right + 7:.1f}" y="{lowest:.1f}" style="fill:{color}">{escape(name)}</text>')
    return parts


def _svg(parts: Sequence[str], title: str, height: float) -> str:
    view = f"0 0 {WIDTH} {height:g}"
    return f'<svg class="plot" viewBox="{view}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
