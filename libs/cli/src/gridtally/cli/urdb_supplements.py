"""What is typed beside a URDB record, which its charges need and it does not say.

Owns the options' texts and the file of the system's peaks. Refuses local times that the clock
skips or has twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gridtally.urdb import Supplements

MetersOption = Annotated[
    int | None,
    typer.Option("--meters", min=1, help="How many, for a URDB record's charges per further one."),
]
PeaksOption = Annotated[
    Path | None,
    typer.Option(
        "--system-peaks",
        metavar="FILE",
        help="When the system had its peaks, for a URDB record's coincident demand: a date and "
        "time a line, on the clock of --zone or with an offset.",
    ),
]
FreeShareOption = Annotated[
    str | None,
    typer.Option(
        "--reactive-free-share",
        metavar="SHARE",
        help="Free kvar for each kW, for a URDB record's charge on reactive power: 0.5, or 0.",
    ),
]


@dataclass(frozen=True, slots=True)
class SupplementOptions:
    """The options as they were typed."""

    meters: int | None = None
    system_peaks: Path | None = None
    reactive_free_share: str | None = None

    def check_needed(self, *, is_urdb: bool) -> None:
        """ValueError where one is given beside a tariff that says such things itself."""
        given = {
            "--meters": self.meters,
            "--system-peaks": self.system_peaks,
            "--reactive-free-share": self.reactive_free_share,
        }
        for option, value in given.items():
            if value is not None and not is_urdb:
                raise ValueError(f"{option} is for URDB records: a native tariff has its own")

    def read(self, zone: str) -> "Supplements":
        """What they say; ValueError with the option or the file's row that is wrong."""
        from gridtally.kernel.money import parse_decimal
        from gridtally.urdb import Supplements

        peaks = () if self.system_peaks is None else tuple(_peaks(self.system_peaks, zone))
        share = self.reactive_free_share
        try:
            free_share = None if share is None else parse_decimal(share)
        except ValueError as error:
            raise ValueError(f"--reactive-free-share: {error}") from None
        return Supplements(meters=self.meters, system_peaks=peaks, reactive_free_share=free_share)


def _peaks(path: Path, zone: str) -> Iterator[datetime]:
    from gridtally.cli.interval_file import read_text

    for number, line in enumerate(read_text(path, "csv").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            yield _instant(text, zone)
        except ValueError as error:
            raise ValueError(f"{path}: row {number}: {error}") from None


def _instant(text: str, zone: str) -> datetime:
    from gridtally.files.stamps import parse_stamp
    from gridtally.kernel.periods import zone_named

    at = parse_stamp(text)
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    local = at.replace(tzinfo=zone_named(zone))
    instant = local.astimezone(UTC)
    if instant.astimezone(zone_named(zone)).replace(tzinfo=None) != at:
        raise ValueError(f"{text} is skipped by the clock of {zone}")
    if local.replace(fold=1).utcoffset() != local.utcoffset():
        raise ValueError(f"{text} is twice on the clock of {zone}: give its offset from UTC")
    return instant
