"""Closed periods: from what was metered, and the facts, to a bill or the reason to hold it.

Refuses to decide what is missing or estimated: that was done when the period was closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, get_args
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from billing.domain.agreements import Agreement
from billing.domain.facts import Facts, Key, Meter
from billing.domain.intervals import in_one_interval
from kernel.errors import Rejected
from kernel.ids import derive_id
from kernel.periods import Period
from rating.bill import Bill, rate
from rating.tariff import Part
from rating.usage import MISSING, Flow, Usage, slots_in

FLOWS: tuple[Flow, ...] = get_args(Flow)
PeriodKey = tuple[str, UUID, date]
"""Tenant, agreement and first day: what one live invoice belongs to."""
ClosedBy = Literal["complete", "grace", "forced"]
MissingRule = Literal["refused", "nothing"]


@dataclass(frozen=True, slots=True, eq=False)
class ClosedPeriod:
    """A period as it was closed: `series` in Wh by flow, `minutes` the interval of each.

    `usage_packed` is the series as evidence keeps it, `event` the message that it came in.
    """

    tenant_id: str
    agreement_id: UUID
    meter_id: UUID
    zone: str
    period: Period
    revision: int
    closed_by: ClosedBy
    minutes: Mapping[Flow, int]
    series: Mapping[Flow, NDArray[np.int32]]
    expected_intervals: int
    present_intervals: int
    digest: str
    usage_packed: bytes
    correlation_id: str
    event: bytes

    @property
    def key(self) -> PeriodKey:
        """What one live invoice belongs to."""
        return self.tenant_id, self.agreement_id, self.period.start_on

    @property
    def energy_wh(self) -> int:
        """What was metered, of all flows together."""
        return sum(
            int(values.sum(where=values != MISSING, dtype=np.int64))
            for values in self.series.values()
        )


@dataclass(frozen=True, slots=True, eq=False)
class Billed:
    """A closed period with the bill that it makes, and the id of the invoice for it."""

    closed: ClosedPeriod
    agreement: Agreement
    connected_kw: Decimal | None
    bill: Bill
    invoice_id: UUID

    @property
    def invoice_key(self) -> Key:
        """Tenant and id of the invoice."""
        return self.closed.tenant_id, self.invoice_id


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A closed period that cannot be billed yet, and why."""

    closed: ClosedPeriod
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class _Billable:
    closed: ClosedPeriod
    agreement: Agreement
    usage: Usage
    parts: tuple[Part, ...]

    @property
    def missing(self) -> MissingRule:
        """What closed before it was complete is billed as it is."""
        return "refused" if self.closed.closed_by == "complete" else "nothing"


def invoice_id(key: PeriodKey, revision: int) -> UUID:
    """The id of the invoice for a revision of a period."""
    return derive_id("invoice", *key, revision)


def bill_periods(periods: Sequence[ClosedPeriod], facts: Facts) -> list[Billed | Held]:
    """A bill, or the reason why not, for each period, in order; alike ones are rated together."""
    results: dict[int, Billed | Held] = {}
    alike: dict[tuple[object, ...], list[tuple[int, _Billable]]] = {}
    for place, closed in enumerate(periods):
        try:
            found = _with_facts(closed, facts)
        except Rejected as refused:
            results[place] = Held(closed, refused.code, refused.detail)
            continue
        shares = tuple((part.version.id, part.period) for part in found.parts)
        key = (closed.tenant_id, shares, found.missing)
        alike.setdefault(key, []).append((place, found))
    for group in alike.values():
        billed = _rate_group([found for _, found in group])
        results.update(zip((place for place, _ in group), billed, strict=True))
    return [results[place] for place in range(len(periods))]


def rounds(periods: Sequence[ClosedPeriod]) -> Iterator[list[ClosedPeriod]]:
    """The periods in order, in lists that hold each period's key once."""
    waiting = list(periods)
    while waiting:
        taken: dict[PeriodKey, ClosedPeriod] = {}
        later: list[ClosedPeriod] = []
        for closed in waiting:
            if closed.key in taken:
                later.append(closed)
            else:
                taken[closed.key] = closed
        yield list(taken.values())
        waiting = later


def _with_facts(closed: ClosedPeriod, facts: Facts) -> _Billable:
    tenant_id = closed.tenant_id
    agreement = facts.agreements.get((tenant_id, closed.agreement_id))
    if agreement is None:
        raise Rejected("agreement_missing", f"agreement {closed.agreement_id} is not known")
    if not agreement.spans(closed.period) or agreement.meter_id != closed.meter_id:
        raise Rejected(
            "agreement_differs",
            f"agreement {agreement.id} is for meter {agreement.meter_id} from "
            f"{agreement.start_on} to {agreement.end_on or 'now'}",
        )
    meter = facts.meters.get((tenant_id, closed.meter_id))
    if meter is None:
        raise Rejected("meter_missing", f"meter {closed.meter_id} is not known")
    parts = facts.parts(tenant_id, agreement.tariff_id, closed.period)
    currency = facts.currencies[tenant_id, agreement.customer_id]
    if priced_in := {part.version.currency for part in parts} - {currency}:
        raise Rejected(
            "currency_differs",
            f"the customer pays in {currency}, the tariff asks for {', '.join(sorted(priced_in))}",
        )
    return _Billable(closed, agreement, _usage(closed, meter), parts)


def _usage(closed: ClosedPeriod, meter: Meter) -> Usage:
    """The series as rating takes them; a flow that the meter does not measure is nothing."""
    if not closed.series:
        raise Rejected("flow_missing", "the period has no series at all")
    minutes, metered = in_one_interval(closed.minutes, closed.series)
    nothing = no_energy(slots_in(closed.zone, closed.period, minutes))
    absent = {flow: nothing for flow in FLOWS if flow not in meter.flows}
    try:
        return Usage(closed.zone, closed.period, minutes, absent | metered, meter.connected_kw)
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None


@lru_cache(maxsize=256)
def no_energy(slots: int) -> NDArray[np.int32]:
    """So many intervals without energy; not to be written to."""
    nothing = np.zeros(slots, np.int32)
    nothing.flags.writeable = False
    return nothing


def _rate_group(group: list[_Billable]) -> list[Billed | Held]:
    """Rate together; where that is refused, one by one, so that only the culprits are held."""
    first = group[0]
    try:
        bills = rate(first.parts, [one.usage for one in group], missing=first.missing)
    except Rejected as refused:
        if len(group) == 1:
            return [Held(first.closed, refused.code, refused.detail)]
        return [result for one in group for result in _rate_group([one])]
    return [
        Billed(
            one.closed,
            one.agreement,
            one.usage.connected_kw,
            bill,
            invoice_id(one.closed.key, one.closed.revision),
        )
        for one, bill in zip(group, bills, strict=True)
    ]
