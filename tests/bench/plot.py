"""A curve as a small SVG picture: a logarithmic axis across, one from nothing upwards."""

from __future__ import annotations

import math
from collections.abc import Mapping

WIDE, HIGH, EDGE = 560, 260, 50
FONT = 'font-family="sans-serif" font-size="12"'


def curve(points: Mapping[str, float], *, across: str, up: str) -> str:
    """The picture of *points*, each with its number beside it."""
    scale = [math.log10(max(float(at), 1)) for at in points]
    most = max(points.values()) * 1.2
    span = max(scale) - min(scale) or 1.0
    places = [
        (EDGE + (at - min(scale)) / span * (WIDE - 2 * EDGE), HIGH - EDGE - value / most * (HIGH - 2 * EDGE))
        for at, value in zip(scale, points.values(), strict=True)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{value:.1f}</text>'
        f'<text x="{x:.1f}" y="{HIGH - EDGE + 18}" text-anchor="middle">{int(at):,}</text>'
        for (x, y), (at, value) in zip(places, points.items(), strict=True)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" {FONT}>',
            f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>',
            f'<path d="M{EDGE} {EDGE - 20}V{HIGH - EDGE}H{WIDE - EDGE + 20}" fill="none" stroke="gray"/>',
            f'<polyline points="{line}" fill="none" stroke="steelblue" stroke-width="2"/>',
            *marks,
            f'<text x="{EDGE - 30}" y="{EDGE - 30}">{up}</text>',
            f'<text x="{WIDE / 2}" y="{HIGH - 8}" text-anchor="middle">{across}</text>',
            "</svg>",
            "",
        ]
    )
