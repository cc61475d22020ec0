"""What the columns of a table seem to be: times, values, meters, flows, qualities."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gridtally.meter_files.amounts import (
    REACTIVE_UNITS,
    DecimalMark,
    NumberForm,
    Numbers,
    ThousandsMark,
    Unit,
)
from gridtally.meter_files.channels import FileError, Flow
from gridtally.meter_files.csv_file import FLOWS
from gridtally.meter_files.csv_layout import ValueColumn
from gridtally.meter_files.stamps import EPOCH, EPOCH_MS, StampForm

ROWS_SEEN_MAX = 5_000
DATES = (
    "YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "YYYYMMDD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY",
    "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YY", "DD/MM/YY", "MM/DD/YY", "DD MMM YYYY", "DD-MMM-YYYY",
    "DD-MMM-YY", "MMM DD YYYY",
)  # fmt: skip
TIMES = ("HH:mm", "HH:mm:ss", "hh:mm AM", "hh:mm:ss AM", "hh:mmAM", "HHmm", "HH.mm")
SEPARATED = (" ", "T", ", ")
ROWS_TRIED = 200
SHARE_READ_MIN = 0.8
"""Of the rows up to the last that a form reads, so many must be read by it."""
_COLUMN_SLOTS = {24: 60, 48: 30, 96: 15, 144: 10, 288: 5}
_STARTS = re.compile(r"\b(start|from|begin|von|ab|de|desde|début)", re.IGNORECASE)
_ENDS = re.compile(r"\b(ends?|ending|to|until|till|bis|ende|fin|hasta)\b|_end\b", re.IGNORECASE)
_METERS = re.compile(
    r"meter|nmi|serial|mpan|esi ?id|z(ä|ae)hler|z(ä|ae)hlpunkt|usage ?point|cups|pod\b|site|"
    r"device|channel|register",
    re.IGNORECASE,
)
_QUALITIES = re.compile(r"quality|status|estimat|flag|read ?type|method", re.IGNORECASE)
_OTHERS = re.compile(
    r"(?<![a-z])(cost|price|amount|charge|temp|duration|minutes|currency|tariff|rate|day of|week|"
    r"total|sum(?![a-z])|cumul|index(?![a-z]))|[$€£]",
    re.IGNORECASE,
)
_ENERGY = re.compile(
    r"k?wh|kw\b|var|usage|consum|import|export|energy|value|verbrauch|bezug|einspeis|valeur|load|"
    r"generat|solar|power|leistung|demand|deliver|receiv|reading|quantity",
    re.IGNORECASE,
)
_UNITS: tuple[tuple[str, Unit], ...] = (
    (r"kvarh", "kvarh"), (r"varh", "varh"), (r"mwh", "MWh"), (r"kwh", "kWh"), (r"wh", "Wh"),
    (r"kvar", "kvar"), (r"mw", "MW"), (r"kw", "kW"), (r"w(att)?s?", "W"),
)  # fmt: skip
_FLOW_WORDS: tuple[tuple[str, Flow], ...] = (
    (r"export|feed|einspeis|received|to grid|back", "export"),
    (r"generat|solar|\bpv\b|produc", "generation"),
    (r"\bload\b|house", "load"),
    (r"import|consum|usage|deliver|bezug|verbrauch|from grid|demand", "import"),
)
WH_MIN = 50
"""Whole numbers up to more than this are taken for Wh where no unit is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The rows of a file from its first row of values on, and what its columns are called."""

    names: list[str]
    header_row: int
    rows: list[tuple[int, list[str]]]
    width: int

    def column(self, index: int, count: int | None = None) -> list[str]:
        """The texts of a column, of rows that have as many fields as most."""
        return [row[index] for _, row in self.rows[:count] if len(row) == self.width]


@dataclass(frozen=True, slots=True, eq=False)
class FoundStamps:
    """The columns of date and time, their form, and what all of them say."""

    columns: tuple[str, ...]
    indexes: tuple[int, ...]
    form: str
    minutes: list[int]
    are_ends: bool
    clock: str | None
    footer_rows: int
    notes: list[str]


@dataclass(slots=True, eq=False)
class Found:
    """All other columns."""

    values: tuple[ValueColumn, ...] = ()
    shape: Literal["rows", "days"] = "rows"
    minutes: int = 0
    decimal_mark: DecimalMark = "."
    thousands_mark: ThousandsMark = ""
    meter_column: str | None = None
    flow_column: str | None = None
    quality_column: str | None = None
    notes: list[str] = field(default_factory=list)
    first_values: list[str] = field(default_factory=list)

    def has_energy(self, index: int) -> bool:
        """Whether the row has a value other than zero in its first column of values."""
        return any(character in "123456789" for character in self.first_values[index])


def stamps_found(body: Body) -> FoundStamps:
    """The columns of date and time; FileError where there are none, or two that differ."""
    candidates = _whole(body) or _split(body) or _dates(body)
    if not candidates:
        raise FileError(
            "no column of dates and times is recognized: declare the layout, with its "
            "stamp_columns and stamp_form"
        )
    chosen = next(
        (candidate for candidate in candidates if _STARTS.search(_title(body, candidate[0]))),
        next(
            (candidate for candidate in candidates if not _ENDS.search(_title(body, candidate[0]))),
            None,
        ),
    )
    indexes, forms = chosen or candidates[0]
    title = _title(body, indexes)
    form, notes = _best(body, indexes, forms)
    minutes, footer_rows = _read(body, indexes, form)
    texts = body.column(indexes[-1], ROWS_SEEN_MAX)
    are_ends = chosen is None or any("24:00" in text for text in texts)
    if are_ends:
        notes.append(f"{title}: is taken for when intervals end")
    own = form.endswith("Z") or form in (EPOCH, EPOCH_MS)
    utc = re.search(r"\b(utc|gmt|zulu)\b|_utc", title, re.IGNORECASE)
    return FoundStamps(
        tuple(body.names[index] for index in indexes),
        indexes,
        form,
        minutes,
        are_ends,
        "UTC" if own or utc else None,
        footer_rows,
        notes,
    )


Candidate = tuple[tuple[int, ...], list[str]]


def _title(body: Body, indexes: Sequence[int]) -> str:
    return " ".join(body.names[index] for index in indexes)


def _whole(body: Body) -> list[Candidate]:
    """Columns that say date and time, and in which forms."""
    forms = [
        f"{day}{mark}{time}{zone}"
        for day in DATES
        for mark in SEPARATED
        for time in TIMES
        for zone in ("", "Z", " Z")
    ]
    found = [
        ((index,), _fitting(body, (index,), [*forms, EPOCH, EPOCH_MS])) for index in _all(body)
    ]
    return [candidate for candidate in found if candidate[1]]


def _split(body: Body) -> list[Candidate]:
    """A column of dates beside one of times."""
    days = [
        (index, fitting) for index in _all(body) if (fitting := _fitting(body, (index,), DATES))
    ]
    found: list[Candidate] = []
    for day, forms in days:
        for time in _all(body):
            both = [f"{form} {clock}" for form in forms for clock in TIMES]
            texts = body.column(time, ROWS_TRIED)
            if time == day or (len(set(texts)) == 1 < len(texts)):
                continue  # a number that is there in each row is no time
            if fitting := _fitting(body, (day, time), both):
                found.append(((day, time), fitting))
    return found


def _dates(body: Body) -> list[Candidate]:
    return [
        ((index,), fitting) for index in _all(body) if (fitting := _fitting(body, (index,), DATES))
    ]


def _all(body: Body) -> range:
    return range(body.width)


def _fitting(body: Body, indexes: Sequence[int], forms: Sequence[str]) -> list[str]:
    """The forms that a column's first rows are written in: all but a few, and those at the end."""
    rows = [row for _, row in body.rows[:ROWS_TRIED] if len(row) == body.width]
    texts = [" ".join(row[index] for index in indexes) for row in rows]
    if not texts or not any(character.isdigit() for character in texts[0]):
        return []
    return [form for form in forms if _reads(form, texts[0]) and _reads_most(form, texts)]


def _reads_most(form: str, texts: Sequence[str]) -> bool:
    reads = [_reads(form, text) for text in texts]
    until_last = len(reads) - reads[::-1].index(True)
    return sum(reads) > SHARE_READ_MIN * until_last and 2 * until_last > len(reads)


def _reads(form: str, text: str) -> bool:
    try:
        stamp = StampForm(form).read(text)
    except ValueError:
        return False
    years = stamp.minute // (365 * 24 * 60)
    return 0 < years < 200 and (form not in (EPOCH, EPOCH_MS) or years > 20)


def _best(body: Body, indexes: Sequence[int], forms: Sequence[str]) -> tuple[str, list[str]]:
    """The form in which the most rows follow each other by one step, and what to know about it."""

    def regular(form: str) -> tuple[int, int]:
        minutes, footer_rows = _read(body, indexes, form)
        steps = Counter(np.diff(np.unique(np.array(minutes, np.int64))).tolist())
        return -footer_rows, steps.most_common(1)[0][1] if steps else 0

    scores = {form: regular(form) for form in forms}
    best = max(scores, key=lambda form: scores[form])
    others = [form for form in forms if form != best and scores[form] == scores[best]]
    return best, [f"dates are read as {best}, and might be {' or '.join(others)}"] if others else []


def _read(body: Body, indexes: Sequence[int], form: str) -> tuple[list[int], int]:
    """The minutes that all rows say, and how many rows at the end say none."""
    reader = StampForm(form)
    minutes: list[int] = []
    footer_rows = 0
    for _, row in body.rows:
        try:
            minutes.append(reader.read(" ".join(row[index] for index in indexes)).minute)
            footer_rows = 0
        except (ValueError, IndexError):
            footer_rows += 1
    return minutes, footer_rows


def columns_found(body: Body, stamps: FoundStamps) -> Found:
    """What the columns beside the times are; FileError where none has values."""
    found = Found()
    rows = [row for _, row in body.rows[: len(body.rows) - stamps.footer_rows]]
    rows = [row for row in rows if len(row) == body.width]
    left = [index for index in _all(body) if index not in stamps.indexes]
    texts = {index: [row[index] for row in rows] for index in left}
    found.decimal_mark, found.thousands_mark = _number_form(texts)
    numbers = Numbers(NumberForm(found.decimal_mark, found.thousands_mark))
    numeric = [index for index in left if _is_numeric(numbers, texts[index])]
    for index in left:
        name = body.names[index]
        seen = {text.lower() for text in texts[index][:ROWS_SEEN_MAX]}
        if index not in numeric and seen <= set(FLOWS) and found.flow_column is None:
            found.flow_column = name
        elif _QUALITIES.search(name) and index not in numeric:
            found.quality_column = found.quality_column or name
        elif _METERS.search(name) and not _ENERGY.search(name) and found.meter_column is None:
            found.meter_column = name
            numeric = [other for other in numeric if other != index]
    if "mm" not in stamps.form and stamps.form not in (EPOCH, EPOCH_MS):
        return _of_days(body, found, numeric, texts)
    values = [index for index in numeric if not _OTHERS.search(body.names[index])]
    values = [index for index in values if _ENERGY.search(body.names[index])] or values
    if not values:
        raise FileError("no column of values is recognized: declare the layout, with its values")
    if ignored := [body.names[index] for index in numeric if index not in values]:
        found.notes.append(f"these columns are passed over: {', '.join(ignored)}")
    found.first_values = texts[values[0]]
    found.values = tuple(
        ValueColumn(
            column=body.names[index],
            unit=(unit := _unit(body.names[index], numbers, texts[index], found.notes)),
            flow=_flow(body.names[index], unit),
        )
        for index in values
    )
    return found


def _of_days(body: Body, found: Found, numeric: list[int], texts: dict[int, list[str]]) -> Found:
    """Of rows that have a day each: the columns of its intervals, as many as fill a day."""
    count = max((slots for slots in _COLUMN_SLOTS if slots <= len(numeric)), default=0)
    named = [index for index in numeric if not _OTHERS.search(body.names[index])]
    columns = (named if len(named) >= count else numeric)[:count]
    if not columns:
        raise FileError(
            "rows have a date without a time, and no 24, 48, 96, 144 or 288 columns of values: "
            "declare the layout"
        )
    numbers = Numbers(NumberForm(found.decimal_mark, found.thousands_mark))
    title = " ".join(body.names[index] for index in columns)
    unit = _unit(title, numbers, texts[columns[0]], found.notes)
    found.shape, found.minutes = "days", _COLUMN_SLOTS[count]
    found.first_values = texts[columns[0]]
    found.values = tuple(ValueColumn(column=body.names[index], unit=unit) for index in columns)
    found.notes.append(f"each row is a day of {count} intervals of {found.minutes} minutes")
    return found


def _number_form(texts: dict[int, list[str]]) -> tuple[DecimalMark, ThousandsMark]:
    """Which marks numbers have: the one that stands last, and once, is that of decimals."""
    commas = points = both = 0
    for column in texts.values():
        for text in column[:ROWS_SEEN_MAX]:
            if re.fullmatch(r"[+-]?[0-9.,' \u00a0]*[0-9]", text) is None:
                continue
            commas += text.count(",") == 1 and text.rfind(",") > text.rfind(".")
            points += text.count(".") == 1 and text.rfind(".") > text.rfind(",")
            both += "," in text and "." in text
    if commas > points:
        return ",", "." if both else ""
    return ".", "," if both else ""


def _is_numeric(numbers: Numbers, texts: Sequence[str]) -> bool:
    """Whether all texts are numbers or missing, and some are numbers."""
    try:
        return any(numbers.read(text) is not None for text in texts)
    except ValueError:
        return False


def _unit(name: str, numbers: Numbers, texts: Sequence[str], notes: list[str]) -> Unit:
    """The unit that a column's name says, else what its numbers look like."""
    for pattern, unit in _UNITS:
        if re.search(rf"(?<![a-z]){pattern}(?![a-z])", name, re.IGNORECASE):
            return unit
    read = [number for text in texts[:ROWS_SEEN_MAX] if (number := numbers.read(text))]
    are_whole = all(decimals == 0 for _, decimals in read)
    unit = "Wh" if are_whole and max((n for n, _ in read), default=0) > WH_MIN else "kWh"
    notes.append(f"{name[:40]}: names no unit, and is taken for {unit}")
    return unit


def _flow(name: str, unit: Unit) -> Flow | None:
    is_reactive = unit in REACTIVE_UNITS
    for pattern, flow in _FLOW_WORDS:
        if re.search(pattern, name, re.IGNORECASE):
            if is_reactive:
                return "reactive_export" if flow == "export" else "reactive_import"
            return flow
    return "reactive_import" if is_reactive else None
