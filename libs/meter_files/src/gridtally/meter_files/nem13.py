"""NEM13: readings of registers of the Australian market.

Source: AEMO, "Meter Data File Format Specification NEM12 & NEM13" (facts only). Each record 250 has
what a register showed before and what it shows now. Owns what a record says, by its row; whose
meter it is, and what its register counted between the two, is for others to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Literal

from gridtally.meter_files.channels import FileError, Flow
from gridtally.meter_files.csv_table import rows_of
from gridtally.meter_files.nem import NEM_OFFSET

Quality = Literal["actual", "estimated", "substituted"]
MARKET = timezone(timedelta(minutes=NEM_OFFSET))
"""The market's clock, which is never changed."""
STAMP = "%Y%m%d%H%M%S"
FIELDS_MIN = 20
"""Up to the unit; what follows it says when the meter is read next."""
QUALITIES: dict[str, Quality] = {
    "A": "actual", "E": "estimated", "F": "substituted", "S": "substituted",
}  # fmt: skip
DIRECTIONS: dict[tuple[str, bool], Flow] = {
    ("E", False): "import", ("I", False): "export",
    ("E", True): "reactive_import", ("I", True): "reactive_export",
}  # fmt: skip
"""By the direction, which counts from the market's side, and whether the energy is reactive."""
UNITS: dict[str, tuple[int, bool]] = {
    "wh": (-3, False), "kwh": (0, False), "mwh": (3, False),
    "varh": (-3, True), "kvarh": (0, True), "mvarh": (3, True),
}  # fmt: skip
"""The power of ten that makes kWh (kvarh) of it, and whether it is reactive."""
_PREVIOUS, _CURRENT = 8, 13
"""Where a reading's value stands; its time and quality follow."""


@dataclass(frozen=True, slots=True)
class RegisterRead:
    """What a register showed: `kwh` (kvarh) at `read_at`, in which row of the file. `register` is
    the NMI and the suffix, by which the market knows it."""

    row: int
    nmi: str
    register: str
    serial: str
    flow: Flow
    read_at: datetime
    kwh: Decimal
    quality: Quality


def is_nem13(head: bytes) -> bool:
    """Whether a file begins as NEM13 does."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].upper()
    return first.replace(b'"', b"").replace(b" ", b"").startswith(b"100,NEM13")


def read_nem13(text: str) -> list[RegisterRead]:
    """The readings of a file in its order, each once; FileError with the row at fault."""
    known: dict[tuple[str, datetime], RegisterRead] = {}
    serials: dict[str, str] = {}
    has_header = False
    for line, row in rows_of(text, ","):
        match row[0]:
            case "100":
                _check_header(line, row)
                has_header = True
            case "250":
                for read in _record_250(line, row):
                    _check_serial(serials, read)
                    _add(known, read)
            case "550":
                pass  # service orders, by which somebody came to read it
            case "900":
                break
            case "200" | "300" | "400" | "500":
                raise FileError(
                    f"row {line}: a record {row[0]} is of NEM12: a file has one of both alone"
                )
            case other:
                raise FileError(f"row {line}: is no record of NEM13: it begins with {other[:20]!r}")
    else:
        raise FileError("the file has no record 900 at its end: it is cut off, fetch it again")
    if not has_header:
        raise FileError("the file has no record 100: its first row is 100,NEM13,…")
    if not known:
        raise FileError("the file holds no reading: it has no record 250")
    return list(known.values())


def _check_header(line: int, row: Sequence[str]) -> None:
    if len(row) < 2 or row[1].upper() != "NEM13":
        shown = row[1][:20] if len(row) > 1 else ""
        raise FileError(f"row {line}: the version is {shown!r}, not NEM13")


def _record_250(line: int, row: Sequence[str]) -> tuple[RegisterRead, RegisterRead]:
    """What the register showed before, and what it shows now."""
    if len(row) < FIELDS_MIN:
        raise FileError(
            f"row {line}: a record 250 has at least {FIELDS_MIN} fields, and this one {len(row)}"
        )
    nmi, suffix, serial, direction, unit = row[1], row[4], row[6], row[7].upper(), row[19].lower()
    if not nmi:
        raise FileError(f"row {line}: names no NMI")
    if unit not in UNITS:
        raise FileError(
            f"row {line}: the unit is {row[19][:20]!r}; kWh, Wh, MWh and those of varh are read"
        )
    exponent, is_reactive = UNITS[unit]
    flow = DIRECTIONS.get((direction, is_reactive))
    if flow is None:
        raise FileError(
            f"row {line}: the direction is {row[7][:20]!r}: E is what the customer draws from the "
            "market, I what it feeds in"
        )
    before, after = (
        RegisterRead(
            line,
            nmi,
            f"{nmi} {suffix}",
            serial,
            flow,
            _stamp(line, row[at + 1]),
            _value(line, row[at]).scaleb(exponent),
            _quality(line, row[at + 2]),
        )
        for at in (_PREVIOUS, _CURRENT)
    )
    if before.read_at >= after.read_at:
        raise FileError(f"row {line}: the current reading is not later than the previous one")
    return before, after


def _add(known: dict[tuple[str, datetime], RegisterRead], read: RegisterRead) -> None:
    """A record begins with the reading that the one before it ended with."""
    earlier = known.setdefault((read.register, read.read_at), read)
    if earlier.kwh != read.kwh:
        raise FileError(
            f"row {read.row}: {read.register} shows {read.kwh} here and {earlier.kwh} in row "
            f"{earlier.row} at the same time: which is it?"
        )


def _check_serial(serials: dict[str, str], read: RegisterRead) -> None:
    """Readings of two meters are no readings of one register, whatever it shows."""
    serial = serials.setdefault(read.register, read.serial)
    if serial != read.serial:
        raise FileError(
            f"row {read.row}: the meter {serial!r} of {read.register} was exchanged for "
            f"{read.serial!r}: enter the exchange in the ledger "
            "(POST /v1/meters/{id}/exchanges), and send the rows of each meter as a file"
        )


def _stamp(line: int, text: str) -> datetime:
    try:
        if len(text) != len("20250301000000") or not text.isdigit():
            raise ValueError
        return datetime.strptime(text, STAMP).replace(tzinfo=MARKET)
    except ValueError:
        raise FileError(
            f"row {line}: a time is {text[:20]!r}, not written as 20250301143000"
        ) from None


def _value(line: int, text: str) -> Decimal:
    try:
        value = Decimal(text) if text.replace(".", "", 1).isdigit() and text.isascii() else None
    except InvalidOperation:
        value = None
    if value is None or len(text) > 20:
        raise FileError(f"row {line}: a register shows {text[:20]!r}, which is no number")
    return value


def _quality(line: int, flag: str) -> Quality:
    quality = QUALITIES.get(flag[:1])
    if quality is None:
        raise FileError(
            f"row {line}: the quality is {flag[:20]!r}; A, E, F and S are read: leave out rows "
            "without a reading"
        )
    return quality
