"""Devices: which meters are a customer's fleet, and by what each of their days is priced.

Owns that nothing is counted twice: a meter that only adds up others is no device, and at a site
where one meter measures the whole, those within it are none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Literal
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.tariffs import InForce, version_on
from gridtally.kernel.periods import Period

DERIVED_TYPES = frozenset({"unmetered", "derived"})
"""Meters that are never read: they only add up others."""
WHOLE_TYPES = ("total", "main")
"""Meters that measure all of a site, the widest first; those of other types are parts of it."""
LEVELS_MAX = 16
"""How deep regions lie within one another."""
Missing = Literal["no_region", "none_in_force"]
"""Why a day has no tariff: the site is in no region, or no version is in force on it."""
Source = UUID | Missing | None
"""What prices a day: a tariff version, or why there is none; None where it is not the customer's
day."""
Assignment = tuple[tuple[Period, Source], ...]
"""What prices each local day of a window, in order, without a gap."""


@dataclass(frozen=True, slots=True)
class FleetMeter:
    """A meter that may be a device; `is_own_site` where its property is the customer's.

    `is_measured` says whether any import of it has ever been recorded.
    """

    id: UUID
    name: str
    meter_type: str
    property_id: UUID | None
    region_id: UUID | None
    is_own_site: bool
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A municipality or grid area, and the region that it lies in."""

    id: UUID
    name: str
    kind: str
    parent_id: UUID | None


@dataclass(frozen=True, slots=True)
class RegionalVersion:
    """A published version of a tariff that is offered in a region."""

    tariff_id: UUID
    code: str
    version: InForce


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What prices days: agreements by meter, versions by agreed tariff and by region, regions."""

    customer_id: UUID
    agreements: Mapping[UUID, Sequence[Agreement]]
    agreed: Mapping[UUID, Sequence[InForce]]
    regional: Mapping[UUID, Sequence[RegionalVersion]]
    regions: Mapping[UUID, Region]
    _above: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)

    def above(self, region_id: UUID) -> tuple[UUID, ...]:
        """The region and those that it lies in, the nearest first."""
        if region_id not in self._above:
            chain = [region_id]
            while len(chain) <= LEVELS_MAX:
                region = self.regions.get(chain[-1])
                if region is None or region.parent_id is None or region.parent_id in chain:
                    break
                chain.append(region.parent_id)
            self._above[region_id] = tuple(chain)
        return self._above[region_id]

    def municipality_of(self, meter: FleetMeter) -> str | None:
        """The name of the nearest municipality that the meter lies in."""
        if meter.region_id is None:
            return None
        near = (self.regions.get(region_id) for region_id in self.above(meter.region_id))
        return next(
            (region.name for region in near if region and region.kind == "municipality"), None
        )

    def has_agreement(self, meter: FleetMeter) -> bool:
        """Whether the meter ever has an agreement of the customer."""
        return any(
            agreement.customer_id == self.customer_id and not agreement.is_cancelled
            for agreement in self.agreements.get(meter.id, ())
        )

    def assignment(self, meter: FleetMeter, window: Period) -> Assignment:
        """What prices each day of the window; equal assignments are equal objects' values."""
        parts: list[tuple[Period, Source]] = []
        for start_on, end_on in pairwise(sorted(self._edges(meter, window))):
            source = self._source_on(meter, start_on)
            same = bool(parts) and parts[-1][1] == source
            begins_on = parts.pop()[0].start_on if same else start_on
            parts.append((Period(begins_on, end_on), source))
        return tuple(parts)

    def _edges(self, meter: FleetMeter, window: Period) -> set[date]:
        """The days on which what prices the meter may change."""
        agreements = self.agreements.get(meter.id, ())
        versions: list[InForce] = []
        for agreement in agreements:
            versions.extend(self.agreed.get(agreement.tariff_id, ()))
        for region_id in self.above(meter.region_id) if meter.region_id else ():
            versions.extend(offer.version for offer in self.regional.get(region_id, ()))
        days = [day for agreement in agreements for day in (agreement.start_on, agreement.end_on)]
        days += [day for v in versions for day in (v.effective_from, v.effective_to)]
        return {window.start_on, window.end_on} | {day for day in days if day and day in window}

    def _source_on(self, meter: FleetMeter, day: date) -> Source:
        agreement = next(
            (agreement for agreement in self.agreements.get(meter.id, ()) if day in agreement), None
        )
        if agreement is not None:
            if agreement.customer_id != self.customer_id:
                return None  # somebody else pays for it
            return version_on(self.agreed.get(agreement.tariff_id, ()), day) or "none_in_force"
        if not meter.is_own_site:
            return None
        if meter.region_id is None:
            return "no_region"
        for region_id in self.above(meter.region_id):
            if (version_id := _regional_on(self.regional.get(region_id, ()), day)) is not None:
                return version_id
        return "none_in_force"


def _regional_on(offers: Sequence[RegionalVersion], day: date) -> UUID | None:
    """The version of a region's tariffs on a day: of several tariffs the one whose version began
    last, and of those the first by its code."""
    by_tariff: dict[tuple[str, UUID], list[InForce]] = {}
    for offer in offers:
        by_tariff.setdefault((offer.code, offer.tariff_id), []).append(offer.version)
    in_force = []
    for key in sorted(by_tariff):
        version_id = version_on(by_tariff[key], day)
        in_force += [v for v in by_tariff[key] if v.version_id == version_id]
    if not in_force:
        return None
    return max(in_force, key=lambda version: version.effective_from).version_id


def devices_of(meters: Iterable[FleetMeter], catalogue: Catalogue) -> list[FleetMeter]:
    """The meters that count, by name.

    Derived ones never do. Of a site's others, all that have an agreement of the customer count, and
    all of the widest level among those: `total`, then `main`, then the rest. Where none has one it
    is the widest level that was ever read.
    """
    at_sites: dict[UUID | None, list[FleetMeter]] = {}
    counted: list[FleetMeter] = []
    for meter in meters:
        if meter.meter_type in DERIVED_TYPES:
            continue
        if meter.is_own_site:
            at_sites.setdefault(meter.property_id, []).append(meter)
        elif catalogue.has_agreement(meter):
            counted.append(meter)
    for at_site in at_sites.values():
        agreed = [meter for meter in at_site if catalogue.has_agreement(meter)]
        measured = agreed or [meter for meter in at_site if meter.is_measured]
        if not measured:
            continue
        widest = min(map(_level, measured))
        counted += agreed
        counted += [
            meter
            for meter in at_site
            if meter.is_measured and meter not in agreed and _level(meter) == widest
        ]
    return sorted(counted, key=lambda meter: (meter.name, meter.id))


def _level(meter: FleetMeter) -> int:
    """0 for the widest."""
    is_whole = meter.meter_type in WHOLE_TYPES
    return WHOLE_TYPES.index(meter.meter_type) if is_whole else len(WHOLE_TYPES)
