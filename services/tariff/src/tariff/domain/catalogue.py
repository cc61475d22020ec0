"""The catalogue: regions, the tariffs in them, calendars and series of prices.

Owns what can be said of them apart from their versions and prices. Refuses regions that lie
within themselves. Their answers of "no" stand here, for `store` and `handlers` alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar
from uuid import UUID

from kernel.errors import Conflict, Fault, NotFound, Rejected

RegionKind = Literal["municipality", "grid_area"]
SeriesMinutes = Literal[15, 30, 60]
REGION_LEVELS_MAX = 16


@dataclass(frozen=True, slots=True)
class Region:
    """A municipality or grid area with its IANA time zone, within another one or not."""

    id: UUID
    code: str
    name: str
    zone: str
    kind: RegionKind = "municipality"
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What customers sign up for; all its versions are in its currency and on its clock."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    region_id: UUID | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Seasons, day types and holidays that many tariffs share; what they are its versions say."""

    id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Prices in `currency` per kWh that change every `minutes`, cut into local days of `zone`."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    minutes: SeriesMinutes


Thing = TypeVar("Thing", Region, Tariff, Calendar, PriceSeries)


def check_lineage(region_id: UUID, above: Sequence[UUID], levels_below: int) -> None:
    """Rejected unless a region may lie within `above`, its parent first and then its parent's.

    `levels_below` counts the levels of regions within it.
    """
    if region_id in above:
        raise _misplaced("region_cycle", "must not lie within the region itself")
    if len(above) + 1 + levels_below > REGION_LEVELS_MAX:
        raise _misplaced("region_depth", f"must leave at most {REGION_LEVELS_MAX} levels")


def unknown(what: str) -> NotFound:
    """There is no such thing: a region, tariff, calendar or price series."""
    code = what.replace(" ", "_")
    return NotFound(f"{code}_unknown", f"no {what} has this id")


def exists(what: str, id_: UUID) -> Conflict:
    """The id is taken by a thing with other content."""
    return Conflict(f"{what.replace(' ', '_')}_exists", f"another {what} has the id {id_}")


def code_taken(what: str) -> Conflict:
    """Codes are unique per tenant and kind of thing."""
    return Conflict("code_taken", f"another {what} has this code")


def in_use(what: str, by: str) -> Conflict:
    """Nothing is deleted that others are built on."""
    return Conflict("in_use", f"the {what} has {by}")


def unknown_region(path: str) -> Rejected:
    """A thing names a region that does not exist."""
    fault = Fault(path, "must be a region that exists")
    return Rejected("unknown_region", "the region does not exist", (fault,))


def _misplaced(code: str, detail: str) -> Rejected:
    return Rejected(code, f"the parent {detail}", (Fault("/parent_id", detail),))
