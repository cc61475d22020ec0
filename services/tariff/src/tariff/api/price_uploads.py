"""How prices come in: as JSON, by instant or by day, and as CSV line by line.

Owns the two forms and their bounds. What a price means, and which are refused, is the domain's.
"""

import codecs
import csv
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

from pydantic import Field, ValidationError

from contracts.catalogue import PRICES_PER_DAY_MAX
from contracts.tariff import Rate
from kernel.errors import Fault, Rejected
from serving.problems import pointer
from serving.strict import loads
from tariff.api.forms import Body
from tariff.domain.prices import DAYS_PER_UPLOAD_MAX, FAULTS_MAX, PRICES_PER_UPLOAD_MAX, Upload

CSV_LINE_CHARS_MAX = 1_000
START_CHARS_MAX = 40
CSV_STARTS = ("start_local", "start_utc")


class Price(Body):
    """The price of the interval that starts at `start`: an ISO 8601 instant, or, without an offset,
    a local time of the series. Of an hour that the clock repeats, the first is meant first."""

    start: Annotated[str, Field(max_length=START_CHARS_MAX)]
    price: Rate


class DayOfPrices(Body):
    """The prices of a local day, one for each of its intervals; null leaves what is known."""

    day: date
    prices: Annotated[list[Rate | None], Field(max_length=PRICES_PER_DAY_MAX)]


class PriceUpload(Body):
    """Prices, by their instant or by whole days."""

    items: Annotated[tuple[Price, ...], Field(max_length=PRICES_PER_UPLOAD_MAX)] = ()
    days: Annotated[tuple[DayOfPrices, ...], Field(max_length=DAYS_PER_UPLOAD_MAX)] = ()


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
        given = PriceUpload.model_validate_json(body)
    except ValidationError as invalid:
        faults = tuple(
            Fault(pointer(error["loc"]), error["msg"])
            for error in invalid.errors(include_url=False, include_input=False)[:FAULTS_MAX]
        )
        raise Rejected("invalid_request", "the body is not an upload of prices", faults) from None
    loads(body)  # for what it refuses: the model takes the last of two values
    for place, item in enumerate(given.items):
        upload.add(f"/items/{place}", item.start, item.price)
    for place, one in enumerate(given.days):
        upload.add_day(f"/days/{place}", one.day, one.prices)


async def take_csv(chunks: AsyncIterator[bytes], upload: Upload) -> None:
    """Put a CSV file into an upload as it arrives; Rejected where it is none.

    Columns: `start_local` or `start_utc`, and `price`; others are ignored.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rows = _Rows(upload)
    rest = ""
    try:
        async for chunk in chunks:
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in lines:
                rows.take(line)
            if len(rest) > CSV_LINE_CHARS_MAX:
                raise rows.broken(f"a line has at most {CSV_LINE_CHARS_MAX} characters")
        rows.take(rest + decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        fault = Fault("", "must be UTF-8")
        raise Rejected("invalid_csv", "the file is not UTF-8", (fault,)) from None


class _Rows:
    """A CSV file's lines, one after another; each is a row."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._count = 0
        self._columns: tuple[int, int] | None = None
        self._in_utc = False

    def take(self, line: str) -> None:
        """The next line; an empty one is passed over."""
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
            self._columns = self._header(row)
            return
        path = f"/rows/{self._count}"
        start, price = self._columns
        if len(row) <= max(start, price):
            self._upload.refuse(path, f"has {len(row)} columns")
        else:
            self._upload.add(path, row[start].strip(), row[price].strip(), in_utc=self._in_utc)

    def broken(self, detail: str) -> Rejected:
        """The file cannot be read from here on."""
        fault = Fault(f"/rows/{self._count}", detail)
        return Rejected("invalid_csv", f"row {self._count}: {detail}", (fault,))

    def _header(self, names: list[str]) -> tuple[int, int]:
        names = [name.strip() for name in names]
        starts = [name for name in names if name in CSV_STARTS]
        if len(starts) != 1 or names.count("price") != 1:
            raise self.broken("needs one of the columns start_local, start_utc, and price")
        self._in_utc = starts == ["start_utc"]
        return names.index(starts[0]), names.index("price")
