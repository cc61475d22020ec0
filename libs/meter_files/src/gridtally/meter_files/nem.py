"""NEM12: files of intervals of the Australian market.

Source: AEMO, "Meter Data File Format Specification NEM12 & NEM13" (facts only). Times are on the
market's clock, UTC+10, which is never changed. Owns the records 100 to 900, quality by interval
(record 400) and files whose header lies about the length of their intervals. NEM13, which has
readings of registers, is `nem13`'s.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal

import numpy as np

from gridtally.meter_files.amounts import NumberForm, Numbers, Unit, wh_of
from gridtally.meter_files.assembly import Intervals, Notes, Number, assemble
from gridtally.meter_files.channels import (
    ACTUAL,
    ESTIMATED,
    SUBSTITUTED,
    FileError,
    Flow,
    MeterFile,
)
from gridtally.meter_files.csv_table import rows_of
from gridtally.meter_files.local_clock import MINUTES_PER_DAY

NEM_OFFSET = 10 * 60
FLOWS: dict[str, Flow] = {
    "E": "import", "B": "export", "K": "reactive_export", "Q": "reactive_import",
}  # fmt: skip
"""By the first letter of the suffix, which counts from the market's side: E (export from the
market) is what the customer draws, B what the customer feeds in."""
UNITS: dict[str, Unit] = {
    "wh": "Wh", "kwh": "kWh", "mwh": "MWh", "varh": "varh", "kvarh": "kvarh",
    "w": "W", "kw": "kW", "mw": "MW", "var": "var", "kvar": "kvar",
}  # fmt: skip
QUALITIES = {"A": ACTUAL, "E": ESTIMATED, "F": SUBSTITUTED, "S": SUBSTITUTED}
NULL, VARIABLE = "N", "V"
_FLAG = re.compile(r"[AEFNSV](?:[0-9]{2})?")
_DAY = re.compile(r"[0-9]{8}")
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
LENGTHS = (5, 15, 30)
"""What intervals may be, in minutes; a file says so in its record 200, not always truly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nem12Layout:
    """A NEM12 file: it says all itself, in the market's time."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}

    kind: Literal["nem12"] = "nem12"
    """NEM12."""


@dataclass(slots=True)
class _Day:
    """A record 300: its values and their qualities, and when it was last changed."""

    line: int
    changed: str
    numbers: list[Number]
    quality: list[int]


@dataclass(slots=True)
class _Channel:
    """The days of one NMI and suffix, by their date (days since 1970)."""

    name: str
    suffix: str
    unit: Unit
    minutes: int
    days: dict[int, _Day] = field(default_factory=dict)


def read_nem12(text: str) -> MeterFile:
    """The channels of a file; FileError with the row at fault."""
    notes = Notes()
    channels: dict[tuple[str, int], _Channel] = {}
    current: _Channel | None = None
    day: _Day | None = None
    numbers = Numbers(NumberForm())
    has_end = False
    for line, row in rows_of(text, ","):
        match row[0]:
            case "100":
                _check_header(row)
            case "200":
                current, day = _channel(line, row), None
            case "300":
                if current is None:
                    raise FileError(
                        f"row {line}: a record 300 before any 200: whose values are these?"
                    )
                day = _record_300(line, row, current, channels, numbers, notes)
            case "400":
                _record_400(line, row, day)
            case "500":
                pass  # when it was read by hand, and what its register showed
            case "900":
                has_end = True
            case "250" | "550":
                raise FileError(_NEM13)
            case other:
                raise FileError(f"row {line}: is no record of NEM12: it begins with {other[:20]!r}")
    if not has_end:
        notes.add("the file has no record 900 at its end: it may be cut off")
    if not channels:
        raise FileError("the file holds no interval: it has no record 300")
    return MeterFile(
        tuple(assemble(_intervals(channel), notes) for channel in channels.values()),
        notes.sentences(),
    )


_NEM13 = (
    "the file is NEM13: it has register readings and no intervals; they belong in the ledger: send "
    "them with `gridtally import readings FILE`"
)


def _check_header(row: Sequence[str]) -> None:
    if len(row) > 1 and row[1].upper() == "NEM13":
        raise FileError(_NEM13)


def _channel(line: int, row: Sequence[str]) -> _Channel:
    """A record 200: NMI, configuration, register, suffix, stream, serial, unit, length."""
    if len(row) < 9:
        raise FileError(f"row {line}: a record 200 has at least 9 fields, and this one {len(row)}")
    nmi, suffix, unit_text, length = row[1], row[4], row[7], row[8]
    unit = UNITS.get(unit_text.lower())
    if unit is None:
        raise FileError(
            f"row {line}: the unit is {unit_text[:20]!r}; Wh, kWh and MWh are read, and those of "
            "varh, W and var"
        )
    if not length.isdigit() or int(length) not in LENGTHS:
        raise FileError(f"row {line}: intervals of {length[:20]!r} minutes; NEM12 has 5, 15 or 30")
    return _Channel(f"{nmi} {suffix}", suffix, unit, int(length))


def _record_300(
    line: int,
    row: Sequence[str],
    current: _Channel,
    channels: dict[tuple[str, int], _Channel],
    numbers: Numbers,
    notes: Notes,
) -> _Day:
    """A day of values. How many there are says how long they are, whatever record 200 says."""
    if len(row) < 3 or not _DAY.fullmatch(row[1]):
        shown = row[1][:20] if len(row) > 1 else ""
        raise FileError(f"row {line}: the date is {shown!r}, not written as 20250301")
    end = next((i for i in range(2, len(row)) if _FLAG.fullmatch(row[i])), len(row))
    count = end - 2
    minutes = MINUTES_PER_DAY // count if count and MINUTES_PER_DAY % count == 0 else 0
    if minutes not in LENGTHS:
        raise FileError(
            f"row {line}: has {count} values; a day has {MINUTES_PER_DAY // current.minutes} of "
            f"{current.minutes} minutes: is the row cut off?"
        )
    if minutes != current.minutes:
        notes.add(
            f"{current.name}: record 200 says {current.minutes} minutes, and days have {count} "
            f"values: read as {minutes} minutes"
        )
    flag = row[end] if end < len(row) else ""
    if not flag:
        raise FileError(f"row {line}: has no quality flag behind its values: is the row cut off?")
    day = _Day(
        line,
        row[end + 3] if len(row) > end + 3 else "",
        _numbers(line, row[2:end], numbers),
        [QUALITIES.get(flag[0], ACTUAL)] * count,
    )
    if flag[0] == NULL:
        day.numbers = [None] * count
    on = _ordinal(line, row[1])
    key = (current.name, minutes)
    channel = channels.setdefault(
        key, _Channel(current.name, current.suffix, current.unit, minutes)
    )
    if channel.unit != current.unit:
        raise FileError(
            f"row {line}: {current.name} is in {current.unit} here, and in {channel.unit} before"
        )
    earlier = channel.days.get(on)
    if earlier is not None and earlier.numbers != day.numbers:
        if earlier.changed == day.changed:
            raise FileError(
                f"row {line}: {current.name} has other values for {row[1]} in row "
                f"{earlier.line}, changed at the same time: which are they?"
            )
        notes.add("a day is there twice: the values that were changed later count")
        if earlier.changed > day.changed:
            return day
    channel.days[on] = day
    return day


def _numbers(line: int, texts: Sequence[str], numbers: Numbers) -> list[Number]:
    try:
        return [numbers.read(text) for text in texts]
    except ValueError as error:
        raise FileError(f"row {line}: a value {error}") from None


def _record_400(line: int, row: Sequence[str], day: _Day | None) -> None:
    """The quality of some of the intervals of the day before it, counted from 1."""
    if day is None:
        raise FileError(f"row {line}: a record 400 before any 300: which day is it of?")
    try:
        first, last = int(row[1]), int(row[2])
        flag = row[3]
    except (IndexError, ValueError):
        raise FileError(
            f"row {line}: a record 400 names its first and last interval and their quality"
        ) from None
    if not 1 <= first <= last <= len(day.numbers):
        raise FileError(
            f"row {line}: intervals {first} to {last} of a day that has {len(day.numbers)}"
        )
    for index in range(first - 1, last):
        day.quality[index] = QUALITIES.get(flag[:1], ACTUAL)
        if flag[:1] == NULL:
            day.numbers[index] = None


def _ordinal(line: int, text: str) -> int:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise FileError(f"row {line}: {text} is no date that exists") from None


def _intervals(channel: _Channel) -> Intervals:
    """All days of a channel, in order."""
    per_day = MINUTES_PER_DAY // channel.minutes
    days = np.repeat(np.array(sorted(channel.days), np.int64), per_day)
    slots = np.tile(np.arange(per_day, dtype=np.int64), len(channel.days))
    ordered = [channel.days[on] for on in sorted(channel.days)]
    return Intervals(
        channel.name,
        FLOWS.get(channel.suffix[:1].upper()),
        channel.unit,
        channel.minutes,
        wh_of(channel.unit, channel.minutes),
        days * MINUTES_PER_DAY + slots * channel.minutes - NEM_OFFSET,
        days,
        [number for day in ordered for number in day.numbers],
        np.array([code for day in ordered for code in day.quality], np.uint8),
    )
