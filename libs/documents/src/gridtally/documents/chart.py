"""The usage chart: energy by day, stacked by band, as SVG that pages and PDFs draw alike.

Attributes only, no style and no script; text is escaped. Whole numbers throughout, so that the same
usage makes the same bytes everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from gridtally.documents.facts import Usage
from gridtally.documents.language import Wording

WIDTH, LEFT, TOP, PLOT, BOTTOM = 680, 52, 26, 128, 20
COLOURS = ("#155e63", "#e0912f", "#5b8fd9", "#a3426b", "#7a8b3c", "#8f7fc4", "#b9a27c", "#57606a")
"""Of bands, in their order; they differ in lightness too, for those who see no colours."""
EXPORT_COLOUR = "#9fc6a2"
DOUBT_COLOUR = "#b42318"
GRID_COLOUR, TEXT_COLOUR = "#d8dee4", "#57606a"
TICKS_MAX = 4
DAY_LABELS_MAX = 11
DAYS_MAX = 62
"""Longer periods are drawn by week, and by month from a year on."""


@dataclass(frozen=True, slots=True)
class _Bar:
    first_on: date
    by_band: tuple[int, ...]
    exported: int
    is_doubtful: bool


def usage_chart(usage: Usage, wording: Wording) -> str:
    """The chart; `""` where nothing was measured."""
    bars = _bars(usage)
    highest = max((sum(bar.by_band) for bar in bars), default=0)
    lowest = max((bar.exported for bar in bars), default=0)
    if highest + lowest == 0:
        return ""
    step = _tick_step(max(highest, lowest))
    above, below = -(-highest // step), -(-lowest // step)
    height = TOP + PLOT + BOTTOM
    scale = _Scale(step, above, above + below)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
        f' width="{WIDTH}" height="{height}" font-family="IBM Plex Sans" font-size="10">',
    ]
    parts += _legend(usage, wording)
    parts += _grid(scale, wording)
    parts += _drawn_bars(bars, scale)
    parts += _day_labels(bars, wording)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class _Scale:
    """`step` Wh between grid lines, of which there are `ticks`, `above` of them above zero."""

    step: int
    above: int
    ticks: int

    def y(self, energy_wh: int) -> int:
        """The height at which a bar of so much energy ends; below zero for exported energy."""
        top_wh = self.above * self.step
        return TOP + PLOT * (top_wh - energy_wh) // (self.ticks * self.step)


def _bars(usage: Usage) -> list[_Bar]:
    days = 1 if len(usage.days) <= DAYS_MAX else 7
    return [
        _Bar(
            usage.days[first],
            tuple(sum(band.energy_wh[first : first + days]) for band in usage.bands),
            sum(usage.exported_wh[first : first + days]),
            any(day in usage.doubtful_on for day in usage.days[first : first + days]),
        )
        for first in range(0, len(usage.days), days)
    ]


def _tick_step(highest_wh: int) -> int:
    """A round number of Wh, of which at most four cover the highest bar."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * TICKS_MAX >= highest_wh:
                return step * factor
        step *= 10


def _text(x: int, y: int, text: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{TEXT_COLOUR}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _legend(usage: Usage, wording: Wording) -> list[str]:
    entries = [
        (COLOURS[index % len(COLOURS)], band.band or wording.say("Imported"))
        for index, band in enumerate(usage.bands)
    ]
    if any(usage.exported_wh):
        entries.append((EXPORT_COLOUR, wording.say("Exported")))
    if usage.doubtful_on:
        entries.append((DOUBT_COLOUR, wording.say("with estimated or missing values")))
    parts, x = [], LEFT
    for colour, name in entries:
        short = name if len(name) <= 32 else f"{name[:31]}…"
        parts.append(f'<rect x="{x}" y="4" width="9" height="9" rx="2" fill="{colour}"/>')
        parts.append(_text(x + 13, 12, short))
        x += 26 + 6 * len(short)
    return parts


def _grid(scale: _Scale, wording: Wording) -> list[str]:
    parts = []
    for tick in range(scale.above - scale.ticks, scale.above + 1):
        y = scale.y(tick * scale.step)
        colour = TEXT_COLOUR if tick == 0 else GRID_COLOUR
        parts.append(
            f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH}" y2="{y}" stroke="{colour}" stroke-width="1"/>'
        )
        parts.append(_text(LEFT - 6, y + 3, wording.short_kwh(abs(tick) * scale.step), "end"))
    return parts


def _drawn_bars(bars: Sequence[_Bar], scale: _Scale) -> list[str]:
    parts = []
    for index, bar in enumerate(bars):
        left, right = _edges(index, len(bars))
        below = 0
        for band, energy_wh in enumerate(bar.by_band):
            if energy_wh:
                colour = COLOURS[band % len(COLOURS)]
                parts.append(_rect(left, right, scale, below, below + energy_wh, colour))
            below += energy_wh
        if bar.exported:
            parts.append(_rect(left, right, scale, -bar.exported, 0, EXPORT_COLOUR))
        if bar.is_doubtful:
            middle = (left + right) // 2
            parts.append(
                f'<circle cx="{middle}" cy="{scale.y(below) - 5}" r="2" fill="{DOUBT_COLOUR}"/>'
            )
    return parts


def _edges(index: int, bars: int) -> tuple[int, int]:
    room = WIDTH - LEFT
    first, after = LEFT + room * index // bars, LEFT + room * (index + 1) // bars
    gap = max(1, (after - first) // 5)
    return first + gap, after - gap


def _rect(left: int, right: int, scale: _Scale, low: int, high: int, colour: str) -> str:
    y = scale.y(high)
    return (
        f'<rect x="{left}" y="{y}" width="{max(1, right - left)}" '
        f'height="{max(1, scale.y(low) - y)}" fill="{colour}"/>'
    )


def _day_labels(bars: Sequence[_Bar], wording: Wording) -> list[str]:
    every = -(-len(bars) // DAY_LABELS_MAX)
    return [
        _text(
            sum(_edges(index, len(bars))) // 2,
            TOP + PLOT + 15,
            wording.short_day(bar.first_on),
            "middle",
        )
        for index, bar in enumerate(bars)
        if index % every == 0
    ]
