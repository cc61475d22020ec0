"""Devices: which meters may be a customer's fleet, and by what each of their days is priced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Literal
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.tariffs import InForce, version_on
from gridtally.kernel.periods import Period
from gridtally.metering.derived_meters import DERIVED_TYPES, Network

WHOLE_TYPES = ("total", "main")
"""Meters that measure all of a site, the widest first; those of other types are parts of it."""
LEVELS_MAX = 16
"""How deep regions lie within one another."""
Missing = Literal["no_region", "none_in_force"]
"""Why a day has no tariff: the site is in no region, or no version is in force on it."""
Source = UUID | Missing | None
"""What prices a day: a tariff version, or why there is none; None where it is not the customer's
day."""
Runs = Collection[Period]
"""Days, as runs that may overlap."""
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

    @property
    def is_derived(self) -> bool:
        """Whether it is never read, but adds up others."""
        return self.meter_type in DERIVED_TYPES

    @property
    def level(self) -> int:
        """How much of its site it measures, 0 for the widest."""
        is_whole = self.meter_type in WHOLE_TYPES
        return WHOLE_TYPES.index(self.meter_type) if is_whole else len(WHOLE_TYPES)


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
    """What prices days: agreements by meter, versions by agreed tariff and by region, regions; and
    what derived meters are sums of. Agreements are also those of the parts of derived meters."""

    customer_id: UUID
    agreements: Mapping[UUID, Sequence[Agreement]]
    agreed: Mapping[UUID, Sequence[InForce]]
    regional: Mapping[UUID, Sequence[RegionalVersion]]
    regions: Mapping[UUID, Region]
    network: Network
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

    def assignment(self, meter: FleetMeter, window: Period, by_site: Runs) -> Assignment:
        """What prices each day of the window; equal assignments are equal objects' values.

        Without an agreement its site's region does so, on the days `by_site`.
        """
        parts: list[tuple[Period, Source]] = []
        edges = self._edges(meter, window) | {
            day for run in by_site for day in (run.start_on, run.end_on) if day in window
        }
        for start_on, end_on in pairwise(sorted(edges)):
            is_by_site = any(start_on in run for run in by_site)
            source = self._source_on(meter, start_on, is_by_site=is_by_site)
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

    def _source_on(self, meter: FleetMeter, day: date, *, is_by_site: bool) -> Source:
        agreement = next(
            (agreement for agreement in self.agreements.get(meter.id, ()) if day in agreement), None
        )
        if agreement is not None:
            if agreement.customer_id != self.customer_id:
                return None  # somebody else pays for it
            return version_on(self.agreed.get(agreement.tariff_id, ()), day) or "none_in_force"
        if not meter.is_own_site or not is_by_site:
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
