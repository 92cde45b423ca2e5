"""A cost-quality plot as SVG, by hand: a dozen lines do not need a library. It computes nothing."""

from collections.abc import Mapping
from html import escape

from pointsman.learning.metrics import Curve

_SVG = "http://www.w3.org/2000/svg"
_WIDTH, _HEIGHT, _MARGIN = 720, 480, 56
_LEGEND_LINE = 18
_COLOURS = ("#1b6ca8", "#d1495b", "#66a182", "#edae49", "#8d6a9f", "#777777")
_POINTS_MAX = 200


def plot(curves: Mapping[str, Curve], title: str) -> str:
    """Share of the strong model's cost to the right, quality upwards."""
    whole = next(iter(curves.values()))
    dearest = float(whole.cost[-1]) or 1.0
    qualities = [
        float(value) for curve in curves.values() for value in (min(curve.quality), max(curve.quality))
    ]
    low, high = min(qualities), max(qualities)
    height = (high - low) or 1.0

    def at(cost: float, quality: float) -> str:
        x = _MARGIN + cost / dearest * (_WIDTH - 2 * _MARGIN)
        y = _HEIGHT - _MARGIN - (quality - low) / height * (_HEIGHT - 2 * _MARGIN)
        return f"{x:.1f},{y:.1f}"

    parts = [
        f'<svg xmlns="{_SVG}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_MARGIN}" y="24" font-size="15">{escape(title)}</text>',
        f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 14}" text-anchor="middle">cost, as a share of the strong model</text>',
        f'<text x="16" y="{_HEIGHT // 2}" transform="rotate(-90 16 {_HEIGHT // 2})" text-anchor="middle">quality</text>',
        f'<path d="M{_MARGIN},{_MARGIN} V{_HEIGHT - _MARGIN} H{_WIDTH - _MARGIN}" fill="none" stroke="black"/>',
    ]
    for share in (0.25, 0.5, 0.75, 1.0):
        x, _ = at(share * dearest, low).split(",")
        parts.append(f'<text x="{x}" y="{_HEIGHT - _MARGIN + 18}" text-anchor="middle">{share:.0%}</text>')
    for part in (0.0, 0.5, 1.0):
        quality = low + part * height
        _, y = at(0, quality).split(",")
        parts.append(f'<text x="{_MARGIN - 6}" y="{y}" text-anchor="end">{quality:.2f}</text>')
    for place, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        step = max(len(curve.cost) // _POINTS_MAX, 1)
        corners = [*range(0, len(curve.cost) - 1, step), len(curve.cost) - 1]
        line = " ".join(at(float(curve.cost[corner]), float(curve.quality[corner])) for corner in corners)
        legend_y = _HEIGHT - _MARGIN - 12 - _LEGEND_LINE * (len(curves) - 1 - place)
        parts += [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{_WIDTH - _MARGIN - 8}" y="{legend_y}" text-anchor="end" fill="{colour}">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
