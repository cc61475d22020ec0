"""Which version of a tariff is in force on which local days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from uuid import UUID

from gridtally.kernel.periods import Period


@dataclass(frozen=True, slots=True)
class InForce:
    """A published version, from `effective_from` up to, but without, `effective_to`."""

    version_id: UUID
    number: int
    effective_from: date
    effective_to: date | None

    def __contains__(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


def version_on(versions: Iterable[InForce], day: date) -> UUID | None:
    """The version of a day: the one that began last, and of those the highest number."""
    candidates = [version for version in versions if day in version]
    if not candidates:
        return None
    return max(candidates, key=lambda v: (v.effective_from, v.number)).version_id


def cut_by_version(period: Period, versions: Iterable[InForce]) -> list[tuple[Period, UUID | None]]:
    """The period's parts in order with the version of each, None where there is none."""
    versions = list(versions)
    edges = {period.start_on, period.end_on}
    for version in versions:
        edges |= {d for d in (version.effective_from, version.effective_to) if d and d in period}
    parts: list[tuple[Period, UUID | None]] = []
    for start_on, end_on in pairwise(sorted(edges)):
        version_id = version_on(versions, start_on)
        same = bool(parts) and parts[-1][1] == version_id
        begins_on = parts.pop()[0].start_on if same else start_on
        parts.append((Period(begins_on, end_on), version_id))
    return parts
