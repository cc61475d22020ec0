"""Tariff files: native documents, URDB records, which are imported on the way, portal tariffs.

Owns telling them apart, and holidays that are given beside a tariff without its own.
"""

import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from gridtally.cli.interval_file import read_text
from gridtally.files.json_text import read_json
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.rating.document import tariff_version
from gridtally.rating.tariff import TariffVersion
from gridtally.urdb import (
    Export,
    HolidayRule,
    Imported,
    Supplements,
    import_record,
    looks_like_urdb,
)

_PLACE = re.compile(r"[A-Z]{2}(-[A-Za-z0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class TariffFile:
    """A file's JSON; `text` as it stands there names the version."""

    path: Path
    text: str
    document: Any

    @property
    def is_urdb(self) -> bool:
        """Whether it is of the Utility Rate Database rather than native."""
        return looks_like_urdb(self.document)

    @property
    def zone(self) -> str | None:
        """The zone that a native tariff names; a URDB record names none."""
        zone = None if self.is_urdb else self.document.get("zone")
        return zone if isinstance(zone, str) else None

    def imported(
        self,
        zone: str,
        *,
        export: Export,
        holidays: HolidayRule,
        label: str | None,
        incomplete: bool,
        supplements: Supplements,
    ) -> Imported:
        """The tariff of a URDB record; ValueError with the file's name where it is not whole."""
        try:
            return import_record(
                self.document,
                zone=zone,
                export=export,
                holidays=holidays,
                label=label,
                supplements=supplements,
                incomplete="accepted" if incomplete else "refused",
            )
        except Rejected as error:
            way_out = "; --incomplete leaves that out" * (error.code == "incomplete_urdb")
            raise ValueError(f"{self.path}: {error}{way_out}") from None

    def version(self, document: Any, holidays: dict[str, object] | None) -> TariffVersion:
        """The version of a native document; ValueError with the file's name for its faults."""
        if holidays is not None and isinstance(document, dict):
            calendar = document.get("calendar") or {}
            if isinstance(calendar, dict):
                if calendar.get("holidays") is not None:
                    raise ValueError(
                        f"{self.path}: has holidays of its own, --holidays is not for it"
                    )
                document = document | {"calendar": calendar | {"holidays": holidays}}
        try:
            return tariff_version(derive_id("tariff-file", self.text), document)
        except Rejected as error:
            raise ValueError(f"{self.path}: {error}") from None


def read_tariff_file(path: Path) -> TariffFile:
    """The JSON of a file; ValueError where it is none, or says two things of one name."""
    text = read_text(path, "json")
    document = _json_in(path, text)
    if not isinstance(document, dict | list | str):
        reason = "is neither a tariff nor a URDB record"
        raise ValueError(f"{path}: {reason}")  # noqa: TRY004 - a fault of the file
    if not looks_like_urdb(document):
        document = json.loads(text)  # numbers as they are written, for what the faults tell
    return TariffFile(path, text, document)


def read_portal_tariff(path: Path) -> Any:
    """The JSON of a portal tariff, numbers as decimals; ValueError as `read_tariff_file`."""
    return _json_in(path, read_text(path, "json"))


def _json_in(path: Path, text: str) -> Any:
    try:
        return read_json(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: no JSON: {error}") from None
    except ValueError as error:  # an integer of thousands of digits, or what read_json refuses
        raise ValueError(f"{path}: no tariff: {error}") from None


def read_holidays(text: str) -> dict[str, object]:
    """The holidays of a country or subdivision (`US`, `US-CA`), or a file's dates, one a line."""
    if _PLACE.fullmatch(text):
        country, _, subdivision = text.partition("-")
        return {"country": country, "subdivision": subdivision or None}
    path = Path(text)
    dates = []
    for number, line in enumerate(read_text(path, "csv").splitlines(), 1):
        day = line.partition("#")[0].strip()
        if not day:
            continue
        try:
            dates.append(date.fromisoformat(day).isoformat())
        except ValueError:
            raise ValueError(f"{path}: row {number}: {day!r} is no date (2025-12-25)") from None
    return {"dates": dates}
