"""Drawings as SVG: bars, waterfalls, heat maps. Attributes and classes only, no style, no script.

Colours are classes (`b0`…`b7` for bands, `h0`…`h6` for heat), so that dark and light, and print,
are the style sheet's business. Each mark carries its exact figure as a title.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from markupsafe import Markup

WIDTH = 960
HALF = 600
"""Of a drawing in half a page, so that its letters are as large as elsewhere."""
LEFT = 64
TOP = 10
BANDS = 8
HEATS = 7
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, and its parts as (series, value, exact text)."""

    label: str
    parts: Sequence[tuple[str, Decimal, str]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a waterfall: what it adds, or with `is_total` where it stands."""

    label: str
    value: Decimal
    text: str
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell of a heat map; None where nothing is known."""

    value: Decimal | None
    title: str


def shades(series: Sequence[str]) -> dict[str, str]:
    """A class for each series, in order."""
    return {name: f"b{position % BANDS}" for position, name in enumerate(series)}


def plain_number(value: Decimal) -> str:
    """A tick's figure in English."""
    return f"{value.normalize():,f}"


def bars(
    items: Sequence[Bar],
    series: Sequence[str],
    label: str,
    *,
    unit: str,
    width: int = WIDTH,
    write: Callable[[Decimal], str] = plain_number,
) -> Markup:
    """Bars side by side, each stacked of its parts; negative parts hang below the line. `write`
    makes the text of a tick."""
    height, bottom = 240, 26
    tops = [sum((v for _, v, _ in bar.parts if v > 0), Decimal(0)) for bar in items]
    lows = [sum((v for _, v, _ in bar.parts if v < 0), Decimal(0)) for bar in items]
    high, low = max([*tops, Decimal(0)]), min([*lows, Decimal(0)])
    scale = _Scale(low, high, height - bottom, width)
    classes = shades(series)
    drawn = [scale.axis(unit, write)]
    slot = Decimal(width - LEFT) / max(1, len(items))
    wide = min(slot * Decimal("0.72"), Decimal(64))
    every = max(1, -(-len(items) * 60 // (width - LEFT)))
    for position, bar in enumerate(items):
        x = LEFT + slot * position + (slot - wide) / 2
        up, down = Decimal(0), Decimal(0)
        for name, value, text in bar.parts:
            start = up if value > 0 else down
            y, tall = scale.span(start, start + value)
            drawn.append(_rect(x, y, wide, tall, classes[name], f"{bar.label} · {name}: {text}"))
            if value > 0:
                up += value
            else:
                down += value
        if position % every == 0:
            drawn.append(_text(x + wide / 2, height - 8, bar.label, "middle"))
    return _svg(height, label, drawn, width)


def waterfall(steps: Sequence[Step], label: str, *, width: int = WIDTH) -> Markup:
    """What leads to a total, step by step, one row each."""
    row, name_width, value_width = 26, min(250, width // 3), 120
    height = TOP * 2 + row * len(steps)
    edges, at = [Decimal(0)], Decimal(0)
    for step in steps:
        at = step.value if step.is_total else at + step.value
        edges.append(at)
    low, high = min(edges), max(edges)
    room = Decimal(width - name_width - value_width)
    per_unit = room / ((high - low) or 1)
    drawn, at = [], Decimal(0)
    for position, step in enumerate(steps):
        start, end = (Decimal(0), step.value) if step.is_total else (at, at + step.value)
        at = end
        y = Decimal(TOP + row * position)
        x = name_width + (min(start, end) - low) * per_unit
        wide = max(Decimal(2), abs(end - start) * per_unit)
        shade = "fa" if step.is_total else ("b0" if step.value >= 0 else "b2")
        drawn.append(_text(name_width - 10, y + 17, step.label, "end"))
        drawn.append(_rect(x, y + 5, wide, Decimal(row - 10), shade, f"{step.label}: {step.text}"))
        drawn.append(_text(width - 4, y + 17, step.text, "end", "value"))
    return _svg(height, label, drawn, width)


def heat_map(
    rows: Sequence[tuple[str, Sequence[HeatCell]]],
    heads: Sequence[str],
    label: str,
    *,
    width: int = WIDTH,
) -> Markup:
    """A row for each label, a column for each head; darker is more."""
    left, top, tall = 56, 20, 15
    height = top + tall * len(rows) + 4
    wide = Decimal(width - left) / max(1, len(heads))
    known = [cell.value for _, cells in rows for cell in cells if cell.value is not None]
    low, high = min(known, default=Decimal(0)), max(known, default=Decimal(0))
    drawn = []
    every = max(1, -(-len(heads) * 26 // (width - left)))
    for position, head in enumerate(heads):
        if position % every == 0:
            drawn.append(_text(left + wide * position + wide / 2, 12, head, "middle"))
    for position, (name, cells) in enumerate(rows):
        y = Decimal(top + tall * position)
        drawn.append(_text(left - 8, y + 11, name, "end"))
        for column, cell in enumerate(cells):
            shade = "fn" if cell.value is None else f"h{_heat(cell.value, low, high)}"
            x = left + wide * column
            drawn.append(_rect(x, y, wide - 1, Decimal(tall - 1), shade, cell.title))
    return _svg(height, label, drawn, width)


def runs(
    rows: Sequence[tuple[str, Sequence[tuple[int, int, str, str]]]],
    classes: Mapping[str, str],
    label: str,
    *,
    width_units: int,
    heads: Sequence[tuple[int, str]],
    tall: int = 14,
) -> Markup:
    """Rows of coloured runs: (start, end, series, title) in units of the row's width."""
    left, top = (92 if any(name for name, _ in rows) else 0), 20
    height = top + tall * len(rows) + 4
    per_unit = Decimal(WIDTH - left) / width_units
    drawn = [_text(left + per_unit * at, 12, head, "start") for at, head in heads]
    for position, (name, cells) in enumerate(rows):
        y = Decimal(top + tall * position)
        if name:
            drawn.append(_text(left - 8, y + min(tall, 11), name, "end"))
        gap = 1 if tall > 4 else 0
        for start, end, series, title in cells:
            x, wide = left + per_unit * start, per_unit * (end - start)
            drawn.append(_rect(x, y, wide, Decimal(tall - gap), classes[series], title))
    return _svg(height, label, drawn, WIDTH)


class _Scale:
    """A vertical scale from the lowest to the highest value, with round ticks."""

    def __init__(self, low: Decimal, high: Decimal, bottom: int, width: int) -> None:
        self._low, self._bottom, self._width = low, bottom, width
        self._high = high if high > low else low + 1
        self._per_unit = Decimal(bottom - TOP) / (self._high - self._low)

    def y(self, value: Decimal) -> Decimal:
        return self._bottom - (value - self._low) * self._per_unit

    def span(self, start: Decimal, end: Decimal) -> tuple[Decimal, Decimal]:
        upper, lower = self.y(max(start, end)), self.y(min(start, end))
        return upper, lower - upper

    def axis(self, unit: str, write: Callable[[Decimal], str]) -> Markup:
        raw = (self._high - self._low) / TICKS
        power = Decimal(10) ** raw.adjusted()
        step = next(power * times for times in STEPS if power * times >= raw)
        first = (self._low / step).to_integral_value() * step
        drawn = []
        value = first
        while value <= self._high:
            if value >= self._low:
                y = self.y(value)
                kind = "base" if value == 0 else "rule"
                drawn.append(
                    Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                        kind, LEFT, self._width, _short(y), _short(y)
                    )
                )
                drawn.append(_text(LEFT - 8, y + 4, write(value), "end"))
            value += step
        drawn.append(_text(0, 10, unit, "start"))
        return Markup("").join(drawn)


def _heat(value: Decimal, low: Decimal, high: Decimal) -> int:
    if high <= low:
        return 0
    return min(HEATS - 1, int((value - low) * HEATS / (high - low)))


def _short(value: Decimal | int) -> str:
    return str(Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _rect(
    x: Decimal | int, y: Decimal, wide: Decimal, tall: Decimal, shade: str, title: str
) -> Markup:
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'
    ).format(shade, _short(x), _short(y), _short(wide), _short(tall), title)


def _text(x: Decimal | int, y: Decimal | int, text: str, anchor: str, kind: str = "") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>').format(
        _short(x), _short(y), anchor, kind, text
    )


def _svg(height: int, label: str, drawn: Sequence[Markup], width: int) -> Markup:
    inside = Markup("").join(drawn)
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, label, inside)
