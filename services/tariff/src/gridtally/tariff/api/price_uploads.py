"""How prices come in: as JSON, by instant or by day, and as CSV line by line.

Owns the two forms and their bounds. What a price means, and which are refused, is the domain's.
"""

import codecs
import csv
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

from pydantic import Field, ValidationError

from gridtally.contracts.catalogue import PRICES_PER_DAY_MAX
from gridtally.contracts.faults import faults_of
from gridtally.files.formats import HEAD_BYTES, recognize
from gridtally.files.header import Columns
from gridtally.files.layout import explain
from gridtally.files.table import width_fault
from gridtally.http.json_bodies import loads
from gridtally.http.problems import pointer
from gridtally.http.resources import Body
from gridtally.kernel.errors import Fault, Rejected
from gridtally.tariff.documents import Rate
from gridtally.tariff.domain.price_uploads import (
    DAYS_PER_UPLOAD_MAX,
    FAULTS_MAX,
    PRICES_PER_UPLOAD_MAX,
    Upload,
)

CSV_LINE_CHARS_MAX = 1_000
START_CHARS_MAX = 40
CSV_STARTS = ("start_local", "start_utc")
CSV_COLUMNS = Columns("an upload of prices", (CSV_STARTS, ("price",)))


class Price(Body):
    """The price of the interval that starts at `start`: an ISO 8601 instant, or, without an offset,
    a local time of the series. Of an hour that the clock repeats, the first is meant first."""

    start: Annotated[str, Field(max_length=START_CHARS_MAX)]
    """When its interval starts: an instant, or a local time of the series."""
    price: Rate
    """The price in the series' currency per kWh; a negative one pays the customer."""


class DayOfPrices(Body):
    """The prices of a local day, one for each of its intervals; null leaves what is known."""

    day: date
    """The local date."""
    prices: Annotated[list[Rate | None], Field(max_length=PRICES_PER_DAY_MAX)]
    """The price of each interval in the series' currency per kWh, in order; null leaves it."""


class PriceUpload(Body):
    """Prices, by their instant or by whole days."""

    items: Annotated[tuple[Price, ...], Field(max_length=PRICES_PER_UPLOAD_MAX)] = ()
    """Prices of single intervals."""
    days: Annotated[tuple[DayOfPrices, ...], Field(max_length=DAYS_PER_UPLOAD_MAX)] = ()
    """Prices of whole local days."""


def upload_schema() -> dict[str, Any]:
    """The schema of a `PriceUpload` in one piece."""
    schema = PriceUpload.model_json_schema()
    parts = schema.pop("$defs")
    for name, part in (("items", "Price"), ("days", "DayOfPrices")):
        schema["properties"][name]["items"] = parts[part]
    return schema


def take_json(body: bytes, upload: Upload) -> None:
    """Put a `PriceUpload` into an upload; Rejected where it is none."""
    try:
        prices = PriceUpload.model_validate_json(body)
    except ValidationError as invalid:
        described = faults_of(invalid, body, PriceUpload.model_validate_json)
        faults = tuple(
            Fault(pointer(error["loc"]), error["msg"]) for error in described[:FAULTS_MAX]
        )
        raise Rejected("invalid_request", "the body is not an upload of prices", faults) from None
    loads(body)  # for what it refuses: the model takes the last of two values
    for index, item in enumerate(prices.items):
        upload.add(f"/items/{index}", item.start, item.price)
    for index, day in enumerate(prices.days):
        upload.add_day(f"/days/{index}", day.day, day.prices)


async def take_csv(chunks: AsyncIterator[bytes], upload: Upload) -> None:
    """Put a CSV file into an upload as it arrives; Rejected where it is none.

    Columns: `start_local` or `start_utc`, and `price`; another one is refused.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rows = _Rows(upload)
    head, rest = b"", ""
    try:
        async for chunk in chunks:
            head += chunk[: HEAD_BYTES - len(head)]
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in lines:
                rows.take(line)
            if len(rest) > CSV_LINE_CHARS_MAX:
                raise rows.broken(f"a line has at most {CSV_LINE_CHARS_MAX} characters")
        rows.take(rest + decoder.decode(b"", final=True))
    except (UnicodeDecodeError, Rejected) as refusal:
        if (known := recognize(head, "csv")) is not None:
            fault = Fault("", f"is {known}")
            raise Rejected("invalid_csv", f"the file {fault.detail}", (fault,)) from None
        if isinstance(refusal, Rejected):
            raise
        fault = Fault("", "must be UTF-8")
        raise Rejected("invalid_csv", "the file is not UTF-8", (fault,)) from None


class _Rows:
    """A CSV file's lines, one after another; each is a row."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._count = 0
        self._width = 0
        self._columns: tuple[int, int] | None = None
        self._in_utc = False

    def take(self, line: str) -> None:
        """The next line; one that says nothing is passed over."""
        self._count += 1
        if not line.strip() or self._upload.is_hopeless:
            return
        if len(line) > CSV_LINE_CHARS_MAX:
            raise self.broken(f"a line has at most {CSV_LINE_CHARS_MAX} characters")
        try:
            (row,) = csv.reader([line], strict=True, skipinitialspace=True)
        except csv.Error as error:
            raise self.broken(str(error)) from None
        if self._columns is None:
            self._columns = self._header(line, row)
            self._width = len(row)
            return
        path = f"/rows/{self._count}"
        start, price = self._columns
        if len(row) == self._width:
            self._upload.add(path, row[start].strip(), row[price].strip(), in_utc=self._in_utc)
        elif "".join(row).strip():
            self._upload.refuse(path, width_fault(row, self._width))

    def broken(self, detail: str) -> Rejected:
        """The file cannot be read from here on."""
        fault = Fault(f"/rows/{self._count}", detail)
        return Rejected("invalid_csv", f"row {self._count}: {detail}", (fault,))

    def _header(self, line: str, names: list[str]) -> tuple[int, int]:
        names = [name.strip() for name in names]
        try:
            indexes = CSV_COLUMNS.indexes(names)
        except ValueError as error:
            explained = explain([line], CSV_COLUMNS) or str(error)
            raise self.broken(explained.removeprefix("row 1: ")) from None
        if "" in names:
            raise self.broken("a column has no name")
        starts = [name for name in CSV_STARTS if name in indexes]
        if len(starts) != 1:
            raise self.broken("needs only one of the columns start_local, start_utc")
        self._in_utc = starts == ["start_utc"]
        return indexes[starts[0]], indexes["price"]
