"""A CSV file by its layout → channels.

Rows are grouped by meter and flow first, since each channel has its own repeated hour. Refuses a
row that it does not understand, by its number; nothing is passed over without a note.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gridtally.meter_files.amounts import Numbers, wh_of
from gridtally.meter_files.assembly import Intervals, Notes, Number, assemble
from gridtally.meter_files.channels import (
    ACTUAL,
    ESTIMATED,
    FileChannel,
    FileError,
    Flow,
    MeterFile,
    check_names,
)
from gridtally.meter_files.clocks import fixed_offset, starts_of
from gridtally.meter_files.csv_layout import CsvLayout, ValueColumn
from gridtally.meter_files.csv_table import Rows, read_rows, text_of
from gridtally.meter_files.local_clock import MINUTES_PER_DAY, skipped_by_clock
from gridtally.meter_files.stamps import Stamp, StampForm

SKIPPED = "a row without energy in an hour that the clock skips is passed over"
FLOWS: dict[str, Flow] = {
    "import": "import", "consumption": "import", "delivered": "import", "from grid": "import",
    "usage": "import", "bezug": "import", "verbrauch": "import", "1.8.0": "import", "e": "import",
    "export": "export", "received": "export", "feed-in": "export", "feed in": "export",
    "to grid": "export", "einspeisung": "export", "lieferung": "export", "2.8.0": "export",
    "b": "export", "generation": "generation", "production": "generation", "solar": "generation",
    "load": "load",
}  # fmt: skip
"""What files call a flow, in small letters."""


def read_csv(content: bytes, layout: CsvLayout) -> MeterFile:
    """The channels of a file; FileError with the row at fault."""
    rows = read_rows(
        text_of(content, layout.encoding), layout.separator, layout.header_row, layout.footer_rows
    )
    reader = _Reader(rows, layout)
    channels: list[FileChannel] = []
    for texts, indexes in _groups(rows, layout).items():
        channels += reader.channels(texts, indexes)
    check_names(channels)
    return MeterFile(tuple(channels), reader.notes.sentences())


def _groups(rows: Rows, layout: CsvLayout) -> dict[tuple[str, ...], list[int]]:
    """The rows of each meter and flow, by what the file calls them."""
    columns = [name for name in (layout.meter_column, layout.flow_column) if name]
    if not columns:
        return {(): list(range(len(rows.rows)))}
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, texts in enumerate(zip(*map(rows.texts, columns), strict=True)):
        groups.setdefault(texts, []).append(index)
    return groups


class _Reader:
    """Reads the groups of rows of one file."""

    def __init__(self, rows: Rows, layout: CsvLayout) -> None:
        self._rows = rows
        self._layout = layout
        self._stamps = StampForm(layout.stamp_form)
        self._numbers = Numbers(layout.numbers)
        self._stamp_texts = [
            " ".join(texts) for texts in zip(*map(rows.texts, layout.stamp_columns), strict=True)
        ]
        self.notes = Notes()

    def channels(self, texts: Sequence[str], indexes: Sequence[int]) -> list[FileChannel]:
        """The channels of a group's rows: of each column of values, or of all of a day."""
        layout = self._layout
        group = " ".join(texts)
        flow = FLOWS.get(texts[-1].lower()) if layout.flow_column else None
        stamps = [self._stamp(index) for index in indexes]
        if layout.shape == "days":
            return [self._of_days(group, flow, indexes, stamps)]
        quality = self._quality(indexes)
        is_alone = len(layout.values) == 1
        return [
            self._channel(
                group if group and is_alone else f"{group} {value.column}".strip(),
                value,
                flow,
                stamps,
                self._column(value.column, indexes),
                [self._rows.lines[index] for index in indexes],
                quality,
            )
            for value in layout.values
        ]

    def _of_days(
        self, group: str, flow: Flow | None, indexes: Sequence[int], days: Sequence[Stamp]
    ) -> FileChannel:
        """The channel of rows that have a day each."""
        layout = self._layout
        columns = [self._column(value.column, indexes) for value in layout.values]
        late = layout.minutes if layout.stamps == "end" else 0
        stamps = [
            Stamp(day.minute + slot * layout.minutes + late, day.offset)
            for day in days
            for slot in range(len(columns))
        ]
        numbers = [number for row in zip(*columns, strict=True) for number in row]
        lines = [self._rows.lines[index] for index in indexes for _ in columns]
        quality = np.full(len(numbers), ACTUAL, np.uint8)
        name = group or (layout.values[0].flow or "values")
        return self._channel(name, layout.values[0], flow, stamps, numbers, lines, quality)

    def _channel(
        self,
        name: str,
        value: ValueColumn,
        flow: Flow | None,
        stamps: Sequence[Stamp],
        numbers: Sequence[Number],
        lines: Sequence[int],
        quality: NDArray[np.uint8],
    ) -> FileChannel:
        layout = self._layout
        if kept := self._without_skipped(stamps, numbers):
            stamps = [stamps[index] for index in kept]
            numbers = [numbers[index] for index in kept]
            lines = [lines[index] for index in kept]
            quality = quality[kept]

        def fault(index: int, detail: str) -> ValueError:
            return FileError(f"row {lines[index]}: {detail}")

        starts = starts_of(
            stamps, layout.clock, layout.minutes, fault, are_ends=layout.stamps == "end"
        )
        back = layout.minutes if layout.stamps == "end" else 0
        days = (np.array([stamp.minute for stamp in stamps], np.int64) - back) // MINUTES_PER_DAY
        factor = wh_of(value.unit, layout.minutes)
        return assemble(
            Intervals(
                name,
                value.flow or flow,
                value.unit,
                layout.minutes,
                factor,
                starts,
                days,
                numbers,
                quality,
            ),
            self.notes,
        )

    def _without_skipped(
        self, stamps: Sequence[Stamp], numbers: Sequence[Number]
    ) -> list[int] | None:
        """The indexes without those rows of a skipped hour that have no energy: many programs
        write them. None where nothing is left out; a row with energy is refused later."""
        layout = self._layout
        if fixed_offset(layout.clock) is not None or stamps[0].offset is not None:
            return None
        if layout.stamps == "end":
            return None
        minutes = np.array([stamp.minute for stamp in stamps], np.int64)
        skipped = skipped_by_clock(minutes, layout.clock)
        for index in np.flatnonzero(skipped).tolist():
            number = numbers[index]
            skipped[index] = number is None or number[0] == 0
        self.notes.add(SKIPPED, int(skipped.sum()))
        return np.flatnonzero(~skipped).tolist() if skipped.any() else None

    def _stamp(self, index: int) -> Stamp:
        try:
            return self._stamps.read(self._stamp_texts[index])
        except ValueError as error:
            raise FileError(f"row {self._rows.lines[index]}: {error}") from None

    def _column(self, name: str, indexes: Sequence[int]) -> list[Number]:
        column = self._rows.index(name)
        numbers: list[Number] = []
        for index in indexes:
            try:
                numbers.append(self._numbers.read(self._rows.rows[index][column]))
            except ValueError as error:
                raise FileError(f"row {self._rows.lines[index]}: {name} {error}") from None
        return numbers

    def _quality(self, indexes: Sequence[int]) -> NDArray[np.uint8]:
        quality = np.full(len(indexes), ACTUAL, np.uint8)
        if self._layout.quality_column is not None:
            texts = self._rows.texts(self._layout.quality_column)
            estimated = set(self._layout.estimated_texts)
            quality[[texts[index] in estimated for index in indexes]] = ESTIMATED
        return quality
