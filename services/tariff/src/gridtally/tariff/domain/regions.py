"""Regions: municipalities and grid areas with their time zones, within one another.

Refuses regions that lie within themselves, and nests them to a named depth only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected

RegionKind = Literal["municipality", "grid_area"]
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


def check_lineage(region_id: UUID, above: Sequence[UUID], levels_below: int) -> None:
    """Rejected unless a region may lie within `above`, its parent first and then its parent's.

    `levels_below` counts the levels of regions within it.
    """
    if region_id in above:
        raise Rejected("region_cycle", *_of_parent("must not lie within the region itself"))
    if len(above) + 1 + levels_below > REGION_LEVELS_MAX:
        detail = f"must leave at most {REGION_LEVELS_MAX} levels"
        raise Rejected("region_depth", *_of_parent(detail))


def unknown_region(path: str) -> Rejected:
    """The answer to a request that names, at `path`, a region that does not exist."""
    fault = Fault(path, "must be a region that exists")
    return Rejected("unknown_region", "the region does not exist", (fault,))


def _of_parent(detail: str) -> tuple[str, tuple[Fault, ...]]:
    """The detail and the fault of an answer about the parent that a request names."""
    return f"the parent {detail}", (Fault("/parent_id", detail),)
