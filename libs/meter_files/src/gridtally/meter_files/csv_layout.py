"""How a CSV file of readings is laid out: what a person declares, or confirms once it was guessed.

Owns the declaration and what contradicts itself in one. JSON has the same fields.
"""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Literal

from gridtally.meter_files.amounts import (
    POWER,
    REACTIVE_UNITS,
    DecimalMark,
    NumberForm,
    ThousandsMark,
    Unit,
)
from gridtally.meter_files.channels import REACTIVE, Flow
from gridtally.meter_files.clocks import fixed_offset
from gridtally.meter_files.stamps import StampForm

Encoding = Literal["utf-8", "utf-16", "windows-1252"]
Separator = Literal[",", ";", "\t", "|"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumn:
    """A column of values: its name, what it is in, and what it measures, if that is known."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}

    column: str
    """Its name in the header, or `#3` for the third column."""
    unit: Unit = "kWh"
    """What its values are in; of kW, W and the like the average power of each interval."""
    flow: Flow | None = None
    """What it measures; the mapping of the channel may say it instead."""

    def __post_init__(self) -> None:
        if self.flow is not None and (self.flow in REACTIVE) != (self.unit in REACTIVE_UNITS):
            raise ValueError(f"{self.column}: {self.flow} is not measured in {self.unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvLayout:
    """A table with a row for each interval, or one for each day with a column for each interval."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}

    kind: Literal["csv"] = "csv"
    """CSV, whatever separates its columns."""
    encoding: Encoding = "utf-8"
    """How its text is encoded; a byte order mark is passed over."""
    separator: Separator = ","
    """What stands between columns."""
    decimal_mark: DecimalMark = "."
    """What stands before decimals."""
    thousands_mark: ThousandsMark = ""
    """What stands between thousands, if anything."""
    header_row: int = 1
    """The row that names the columns, counted from 1; rows above it are passed over. With 0 there
    is none, and columns are called #1, #2, …"""
    footer_rows: int = 0
    """How many rows at the end are no intervals: totals, notes."""
    stamp_columns: tuple[str, ...]
    """The column of date and time; or two, of the date and of the time."""
    stamp_form: str = "YYYY-MM-DDTHH:mm"
    """How date and time are written, the texts of two columns with a space between:
    `DD.MM.YYYY HH:mm`, `MM/DD/YYYY hh:mm AM`, `YYYY-MM-DDTHH:mm:ssZ` (Z: with an offset), `epoch`
    (seconds since 1970), `epoch_ms`."""
    stamps: Literal["start", "end"] = "start"
    """Whether they say when an interval starts or when it ends."""
    clock: str
    """The clock that they are on: an IANA zone, with its changes, `UTC`, or `+10:00` of a clock
    that never changes. Those with an offset of their own need none, but say what a day is."""
    minutes: int
    """The length of an interval."""
    shape: Literal["rows", "days"] = "rows"
    """A row for each interval, or one for each day."""
    values: tuple[ValueColumn, ...]
    """The columns of values. Of days: those of one day in their order, which are one channel."""
    meter_column: str | None = None
    """The column that names the meter, where rows are of several."""
    flow_column: str | None = None
    """The column that names what is measured, where rows are of several flows."""
    quality_column: str | None = None
    """The column that says what a value rests on."""
    estimated_texts: tuple[str, ...] = ("E", "Estimated", "estimated")
    """What stands in it where the value is estimated; all others are actual."""

    def __post_init__(self) -> None:
        """ValueError where it contradicts itself, in words for whoever declared it."""
        if not 1 <= len(self.stamp_columns) <= 2:
            raise ValueError("stamp_columns: name one column, or one of dates and one of times")
        if self.header_row < 0 or self.footer_rows < 0:
            raise ValueError("header_row and footer_rows: count rows from 0 on")
        if not self.values:
            raise ValueError("values: name at least one column of values")
        if self.separator == self.decimal_mark:
            raise ValueError("separator: numbers with a decimal comma need another one")
        if self.thousands_mark == self.decimal_mark:
            raise ValueError("thousands_mark: is the decimal mark")
        StampForm(self.stamp_form)
        fixed_offset(self.clock)
        if self.shape == "days":
            self._check_days()
        named = [*self.stamp_columns, *(value.column for value in self.values)]
        named += [
            name for name in (self.meter_column, self.flow_column, self.quality_column) if name
        ]
        if twice := [name for name, times in Counter(named).items() if times > 1]:
            raise ValueError(f"the column {twice[0]} is named for two things")

    def _check_days(self) -> None:
        if len({(value.unit, value.flow) for value in self.values}) > 1:
            raise ValueError("values: the columns of a day have one unit and one flow")
        if len(self.values) * self.minutes != 24 * 60:
            raise ValueError(
                f"values: {len(self.values)} columns of {self.minutes} minutes are no day: name "
                f"{24 * 60 // self.minutes}"
            )
        if self.quality_column is not None:
            raise ValueError("quality_column: a row of a day has a quality for each value")

    @property
    def numbers(self) -> NumberForm:
        """How its numbers are written."""
        return NumberForm(self.decimal_mark, self.thousands_mark)

    @property
    def is_power(self) -> bool:
        """Whether any values are average power."""
        return any(value.unit in POWER for value in self.values)
