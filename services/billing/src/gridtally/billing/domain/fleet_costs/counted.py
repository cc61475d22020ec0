"""Which meters of a fleet are counted, on which days: nothing twice, and nothing left out.

At a site where one meter measures the whole, those within it are not counted. A derived meter is
counted on the days on which it is billed to the customer: what it adds is not counted by itself
then, and what it subtracts is. Without an agreement it counts where nothing else does, or what is
left of it where a part of it does.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.fleet_costs.devices import Assignment, Catalogue, FleetMeter, Runs
from gridtally.kernel.periods import Period
from gridtally.metering.derived_meters import Factors, Network

EVER = Period(date.min, date.max)
"""All days."""


Sums = Sequence[tuple[Period, Factors]]
"""What a derived meter is the sum of, by runs of days."""


@dataclass(frozen=True, slots=True)
class Device:
    """A meter that counts, and what prices each day of a window.

    `rest` are days of a derived meter of which some parts count elsewhere, with the others.
    """

    meter: FleetMeter
    assignment: Assignment
    rest: Sums = ()

    def sums(self, network: Network, days: Period) -> Sums:
        """What a derived meter that counts adds up on these days."""
        left = [run for run, _ in self.rest]
        whole = [
            (run, factors)
            for runs, factors in network.parts(self.meter.id, days)
            for run in _outside([runs], left)
        ]
        rest = [(run.overlap(days), factors) for run, factors in self.rest]
        return whole + [(run, factors) for run, factors in rest if run is not None]


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Days on which a derived meter is in no total: `parts` of what it adds count elsewhere, and of
    what it subtracts nobody can say in which part it is."""

    meter: FleetMeter
    days: Period
    parts: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class CountedFleet:
    """The meters that count, by name, and what of derived ones does not though it should."""

    devices: Sequence[Device]
    not_counted: Sequence[NotCounted]


@dataclass(slots=True)
class _Sums:
    """Of the derived meters that count: the days on which each meter is in one of them, and on
    which one that adds more of its site leaves it out. `at_sites` are the meters that are read."""

    catalogue: Catalogue
    at_sites: Mapping[UUID, FleetMeter]
    sites: Mapping[UUID | None, Sequence[FleetMeter]]
    within: defaultdict[UUID, list[Period]] = field(default_factory=lambda: defaultdict(list))
    left_out: defaultdict[UUID, list[Period]] = field(default_factory=lambda: defaultdict(list))

    def count(self, meter: FleetMeter, days: Runs) -> None:
        """A derived meter counts on these days."""
        for run, factors in self.catalogue.network.parts(meter.id, EVER):
            own = [both for counted in days if (both := run.overlap(counted)) is not None]
            if not own:
                continue
            parts, left_out = added(factors), subtracted(factors)
            for part in parts:
                self.within[part] += own
            for part in {part for added_ in parts for part in self.narrower(added_)} - parts:
                (self.left_out if part in left_out else self.within)[part] += own

    def agreed_days(self, meter: FleetMeter) -> list[Period]:
        """The days on which a meter has an agreement of the customer."""
        own = _agreements(self.catalogue, meter.id)
        return [_days_of(a) for a in own if a.customer_id == self.catalogue.customer_id]

    def billed_days(self, meter: FleetMeter) -> list[Period]:
        """The days on which a meter is billed to the customer, by itself or in a derived one."""
        return self.agreed_days(meter) + self.within[meter.id]

    def narrower(self, meter_id: UUID) -> set[UUID]:
        """The meters at the same site that measure a part of what a meter does."""
        meter = self.at_sites.get(meter_id)
        at_site = () if meter is None else self.sites[meter.property_id]
        return {own.id for own in at_site if meter and own.level > meter.level}


def added(factors: Factors) -> set[UUID]:
    """The meters that a sum adds: what they measure is in it."""
    return {meter_id for (meter_id, _), factor in factors.items() if factor > 0}


def subtracted(factors: Factors) -> set[UUID]:
    """The meters that a sum leaves out of what it adds."""
    return {meter_id for meter_id, _ in factors} - added(factors)


def count_fleet(meters: Sequence[FleetMeter], catalogue: Catalogue, window: Period) -> CountedFleet:
    """The meters that count, by name, with what prices the days of the window.

    On a day all count that have an agreement of the customer. At a site so do those of the widest
    level among them: `total`, then `main`, then the rest; what a billed derived meter adds is among
    them. Where none has an agreement it is the widest level that was ever read.
    """
    at_sites = [meter for meter in meters if meter.is_own_site and not meter.is_derived]
    sites: defaultdict[UUID | None, list[FleetMeter]] = defaultdict(list)
    for meter in at_sites:
        sites[meter.property_id].append(meter)
    sums = _Sums(catalogue, {meter.id: meter for meter in at_sites}, sites)
    for meter in meters:
        if meter.is_derived:
            own = _agreements(catalogue, meter.id)
            sums.count(meter, [_days_of(a) for a in own if a.customer_id == catalogue.customer_id])
    measured = _measured(sums)
    by_site = {
        meter.id: _outside(measured[meter.id], sums.within[meter.id])
        + _outside(sums.left_out[meter.id], _taken(sums, meter))
        for meter in at_sites
    }
    unbilled = [meter for meter in meters if meter.is_derived and meter.is_own_site]
    for meter in sorted(unbilled, key=lambda own: _width(catalogue, own)):
        by_site[meter.id] = _days_of_its_own(sums, meter, window)
        sums.count(meter, by_site[meter.id])
    rests: dict[UUID, Sums] = {}
    not_counted: list[NotCounted] = []
    for meter in sorted(unbilled, key=lambda own: _width(catalogue, own)):
        rests[meter.id], left_out = _rest_of(sums, meter, window, by_site[meter.id])
        not_counted += left_out
        for run, factors in rests[meter.id]:
            by_site[meter.id].append(run)
            for part in added(factors):
                sums.within[part].append(run)
    devices = [
        Device(
            meter,
            catalogue.assignment(meter, window, by_site.get(meter.id, ())),
            rests.get(meter.id, ()),
        )
        for meter in sorted(meters, key=lambda meter: (meter.name, meter.id))
        if by_site.get(meter.id) or catalogue.has_agreement(meter)
    ]
    return CountedFleet(
        [own for own in devices if any(source is not None for _, source in own.assignment)],
        sorted(not_counted, key=lambda own: (own.meter.name, own.meter.id, own.days.start_on)),
    )


def _agreements(catalogue: Catalogue, meter_id: UUID) -> list[Agreement]:
    return [own for own in catalogue.agreements.get(meter_id, ()) if not own.is_cancelled]


def _days_of(agreement: Agreement) -> Period:
    return Period(agreement.start_on, agreement.end_on or date.max)


def _measured(sums: _Sums) -> dict[UUID, list[Period]]:
    """The days on which each meter that is read counts by its site, but for what derived meters
    count of it."""
    days: dict[UUID, list[Period]] = {meter_id: [] for meter_id in sums.at_sites}
    for at_site in sums.sites.values():
        billed = {meter.id: sums.billed_days(meter) for meter in at_site}
        edges = {
            day for own in billed.values() for run in own for day in (run.start_on, run.end_on)
        }
        for start_on, end_on in pairwise(sorted(edges | {EVER.start_on, EVER.end_on})):
            agreed = [m for m in at_site if any(start_on in run for run in billed[m.id])]
            measured = [m for m in at_site if m.is_measured]
            widest = min((m.level for m in agreed or measured), default=None)
            for meter in measured:
                if meter.level == widest:
                    days[meter.id].append(Period(start_on, end_on))
    return days


def _taken(sums: _Sums, meter: FleetMeter) -> list[Period]:
    """The days on which what a meter measures is in something else that is billed."""
    wider = [own for own in sums.sites[meter.property_id] if own.level < meter.level]
    return sums.within[meter.id] + [
        _days_of(a) for own in wider for a in _agreements(sums.catalogue, own.id)
    ]


def _width(catalogue: Catalogue, meter: FleetMeter) -> tuple[int, UUID]:
    """For the order in which derived meters are counted: those of most meters first."""
    parts = catalogue.network.parts(meter.id, EVER)
    return -max((len(added(factors)) for _, factors in parts), default=0), meter.id


def _days_of_its_own(sums: _Sums, meter: FleetMeter, window: Period) -> list[Period]:
    """The days of the window on which a derived meter at the customer's site counts without an
    agreement: nothing that it adds is at a site of the customer, is anybody's by an agreement, or
    is in another that counts."""
    own: list[Period] = []
    for run, factors in sums.catalogue.network.parts(meter.id, window):
        parts = added(factors)
        if parts:
            taken = [days for part in parts for days in _elsewhere(sums, part)]
            taken += [_days_of(a) for a in _agreements(sums.catalogue, meter.id)]
            own += _outside([run], taken)
    return own


def _rest_of(
    sums: _Sums, meter: FleetMeter, window: Period, whole: Runs
) -> tuple[Sums, list[NotCounted]]:
    """Of a derived meter without an agreement, on days of the window on which it does not count as
    a `whole`: the parts that count nowhere else; and the days on which these cannot be told."""
    rest: list[tuple[Period, Factors]] = []
    not_counted: list[NotCounted] = []
    counted = [*whole, *(_days_of(own) for own in _agreements(sums.catalogue, meter.id))]
    for runs, factors in sums.catalogue.network.parts(meter.id, window):
        elsewhere = {part: _elsewhere(sums, part) for part in added(factors)}
        edges = {
            day for own in elsewhere.values() for run in own for day in (run.start_on, run.end_on)
        }
        for run in _cut(_outside([runs], counted), edges):
            parts = {part for part, own in elsewhere.items() if any(run.start_on in r for r in own)}
            if parts == elsewhere.keys():
                continue
            if subtracted(factors):
                not_counted.append(NotCounted(meter, run, frozenset(parts)))
            else:
                left = {own: factor for own, factor in factors.items() if own[0] not in parts}
                rest.append((run, left))
    return rest, not_counted


def _elsewhere(sums: _Sums, part: UUID) -> list[Period]:
    """The days on which a part of a sum is at a site of the customer, anybody's by an agreement, or
    in a sum that counts."""
    at_site = [EVER] if part in sums.at_sites else []
    return at_site + sums.within[part] + [_days_of(a) for a in _agreements(sums.catalogue, part)]


def _cut(runs: Runs, edges: Collection[date]) -> list[Period]:
    """The runs, cut at these days."""
    return [
        Period(start_on, end_on)
        for run in runs
        for start_on, end_on in pairwise(
            sorted({run.start_on, run.end_on} | {day for day in edges if day in run})
        )
    ]


def _outside(runs: Runs, taken: Runs) -> list[Period]:
    """The days of the runs that are in none of the others."""
    edges = {day for own in taken for day in (own.start_on, own.end_on)}
    return [run for run in _cut(runs, edges) if not any(run.start_on in own for own in taken)]
