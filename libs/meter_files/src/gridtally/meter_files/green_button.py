"""Green Button: usage as ESPI XML, in an Atom feed.

Source: NAESB REQ.21 (ESPI) as published by the Green Button Alliance (facts only). Owns which block
of intervals belongs to which reading type, multipliers, units and the direction of flow. Tolerant
of elements and codes that it does not know. Refuses document types, so that no entity is expanded.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, Literal
from xml.parsers import expat

import numpy as np

from gridtally.kernel.periods import RESOLUTIONS_MIN
from gridtally.meter_files.amounts import Unit, wh_of
from gridtally.meter_files.assembly import Intervals, Notes, assemble
from gridtally.meter_files.channels import (
    ACTUAL,
    ESTIMATED,
    SUBSTITUTED,
    FileChannel,
    FileError,
    Flow,
    MeterFile,
    check_names,
)
from gridtally.meter_files.local_clock import MINUTES_PER_DAY

DEPTH_MAX = 64
WH, WATT, VARH, VAR = "72", "38", "73", "63"
UNITS: dict[str, Unit] = {WH: "Wh", WATT: "W", VARH: "varh", VAR: "var"}
CUMULATIVE = {"1", "3", "13"}
"""Kinds of accumulation that count on: a register's total, no energy of an interval."""
QUALITIES = {"7": SUBSTITUTED, "8": ESTIMATED, "9": ESTIMATED, "11": SUBSTITUTED, "12": ESTIMATED}
"""By the code of a reading's quality: edited by hand, estimated from a reference day or in a
straight line, derived, projected. All others are taken for actual."""
SECONDS_PER_MINUTE = 60
Fields = dict[str, str]
_USAGE_POINT = re.compile(r"UsagePoint/([^/ ]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class GreenButtonLayout:
    """An ESPI file: it says all itself, in UTC."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}

    kind: Literal["green_button"] = "green_button"
    """Green Button (ESPI XML)."""


@dataclass(slots=True)
class _Entry:
    """An entry of the feed: its links by what they are for, its title, and what it holds."""

    links: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    kind: str = ""
    fields: Fields = field(default_factory=dict)
    readings: list[Fields] = field(default_factory=list)

    def hrefs(self, relation: str) -> list[str]:
        """Where its links of a relation lead, without what comes before the resources."""
        return [href.rstrip("/") for name, href in self.links if name == relation]


def read_green_button(content: bytes) -> MeterFile:
    """The channels of a file; FileError where it is no ESPI, or has nothing in Wh."""
    entries = _entries(content)
    meter_readings = [entry for entry in entries if entry.kind == "MeterReading"]
    types = [entry for entry in entries if entry.kind == "ReadingType"]
    notes = Notes()
    grouped: dict[tuple[int, int], list[Fields]] = {}
    for block in entries:
        if block.kind == "IntervalBlock":
            reading = _parent(block, meter_readings)
            kind = _type_of(reading, types)
            key = (meter_readings.index(reading) if reading else -1, types.index(kind))
            grouped.setdefault(key, []).extend(block.readings)
    channels: list[FileChannel] = []
    for (index, type_index), readings in grouped.items():
        reading = meter_readings[index] if index >= 0 else None
        channels += _channels(reading, types[type_index].fields, readings, notes)
    if not channels:
        raise FileError(
            "the file holds no interval of electric energy: no IntervalBlock in Wh, W, varh or var"
        )
    check_names(channels)
    return MeterFile(tuple(channels), notes.sentences())


def _parent(block: _Entry, readings: list[_Entry]) -> _Entry | None:
    """The meter reading that a block belongs to: by its `up` link, or one that lists it."""
    for reading in readings:
        of_blocks = {
            *reading.hrefs("related"),
            *(f"{href}/IntervalBlock" for href in reading.hrefs("self")),
        }
        if of_blocks & {*block.hrefs("up"), *block.hrefs("self")}:
            return reading
    return readings[0] if len(readings) == 1 else None


def _type_of(reading: _Entry | None, types: list[_Entry]) -> _Entry:
    """The reading type that a meter reading is related to; FileError where it is not to be told."""
    related = set(reading.hrefs("related")) if reading is not None else set()
    for kind in types:
        if related & set(kind.hrefs("self")):
            return kind
    if len(types) == 1:
        return types[0]
    raise FileError(
        "the unit of an IntervalBlock is not to be told: its MeterReading links to no ReadingType, "
        f"and the file has {len(types)}"
    )


def _channels(
    reading: _Entry | None, kind: Mapping[str, str], readings: list[Fields], notes: Notes
) -> Iterator[FileChannel]:
    """The channels of a reading type: one for each length of intervals that is metered."""
    code = kind.get("uom", "")
    if code not in UNITS:
        notes.add(f"values in the unit of code {code or 'none'} are no energy, and passed over")
        return
    if kind.get("accumulationBehaviour") in CUMULATIVE:
        notes.add("totals of a register are no intervals, and passed over")
        return
    unit, flow = UNITS[code], _flow(kind)
    if flow is None:
        notes.add(f"the direction of flow {kind.get('flowDirection', '')!r} says no flow: map it")
    by_minutes: dict[int, list[Fields]] = {}
    for fields in readings:
        minutes, rest = divmod(_whole(fields, "duration"), SECONDS_PER_MINUTE)
        if rest or minutes not in RESOLUTIONS_MIN:
            notes.add(f"an interval of {minutes} minutes is passed over")
        else:
            by_minutes.setdefault(minutes, []).append(fields)
    ten = Fraction(10) ** int(kind.get("powerOfTenMultiplier") or 0)
    for minutes, chosen in by_minutes.items():
        starts = np.array([_minute(fields) for fields in chosen], np.int64)
        quality = [QUALITIES.get(fields.get("quality", ""), ACTUAL) for fields in chosen]
        name = f"{_meter(reading)} {flow or unit}"
        intervals = Intervals(
            name if len(by_minutes) == 1 else f"{name} {minutes} min",
            flow,
            unit,
            minutes,
            wh_of(unit, minutes) * ten,
            starts,
            starts // MINUTES_PER_DAY,
            [(_whole(fields, "value"), 0) if fields.get("value") else None for fields in chosen],
            np.array(quality, np.uint8),
        )
        yield assemble(intervals, notes)


def _flow(kind: Mapping[str, str]) -> Flow | None:
    """The flow of a reading type: forward is what the customer draws."""
    is_reactive = kind.get("uom") in (VARH, VAR)
    match kind.get("flowDirection"):
        case "1":
            return "reactive_import" if is_reactive else "import"
        case "19":
            return "reactive_export" if is_reactive else "export"
        case _:
            return None


def _meter(reading: _Entry | None) -> str:
    """What the feed calls the meter: the usage point in the path of its links, or its title."""
    paths = " ".join(href for _, href in reading.links) if reading is not None else ""
    point = _USAGE_POINT.search(paths)
    return point[1] if point else (reading.title if reading is not None else "") or "meter"


def _minute(fields: Fields) -> int:
    minute, rest = divmod(_whole(fields, "start"), SECONDS_PER_MINUTE)
    if rest:
        raise FileError(f"an interval starts at {fields['start']}, which is no whole minute")
    return minute


def _whole(fields: Fields, name: str) -> int:
    try:
        return int(fields[name])
    except (KeyError, ValueError):
        shown = fields.get(name, "")[:40]
        raise FileError(f"an IntervalReading has the {name} {shown!r}: no whole number") from None


def _entries(content: bytes) -> list[_Entry]:
    """The entries of a feed; FileError for what is no XML, or declares a document type."""
    feed = _Feed()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = feed.start
    parser.EndElementHandler = feed.end
    parser.CharacterDataHandler = feed.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's own signature: this is all
    except expat.ExpatError as error:
        raise FileError(f"row {error.lineno}: is no XML: {expat.ErrorString(error.code)}") from None
    return feed.entries


def _refuse_doctype(*_: object) -> None:
    raise FileError("the file declares a document type (<!DOCTYPE …>), which no ESPI file has")


class _Feed:
    """Hears a feed element by element; of each entry what is needed is kept."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._path: list[str] = []
        self._reading: Fields | None = None
        self._texts: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        local = name.rpartition("|")[2]
        self._path.append(local)
        self._texts = []
        if len(self._path) > DEPTH_MAX:
            raise FileError(f"elements lie more than {DEPTH_MAX} deep within one another")
        if local == "entry":
            self.entries.append(_Entry())
        if not self.entries:
            return
        entry = self.entries[-1]
        if local == "link":
            entry.links.append((attributes.get("rel", ""), attributes.get("href", "")))
        elif len(self._path) > 1 and self._path[-2] == "content":
            entry.kind = local
        elif local == "IntervalReading":
            self._reading = {}

    def text(self, text: str) -> None:
        """Some of an element's text."""
        self._texts.append(text)

    def end(self, _name: str) -> None:
        """An element ends."""
        local = self._path.pop()
        text, self._texts = "".join(self._texts).strip(), []
        if not self.entries:
            return
        entry = self.entries[-1]
        if local == "IntervalReading" and self._reading is not None:
            entry.readings.append(self._reading)
            self._reading = None
        elif self._reading is not None:
            self._reading[local] = text
        elif local == "title" and self._path[-1:] == ["entry"]:
            entry.title = text
        elif entry.kind and self._path[-1:] == [entry.kind]:
            entry.fields[local] = text
