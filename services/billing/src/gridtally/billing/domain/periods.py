"""Closed periods: from what was metered and the reference data to a bill, or the reason to hold it.

Refuses to decide what is missing or estimated: that was done when the period was closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.reference_data import Key, Meter, ReferenceData
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import Bill, rate
from gridtally.rating.intervals import usage_of
from gridtally.rating.price_days import VersionedSeries
from gridtally.rating.quality import DoubtfulFlows, with_quality
from gridtally.rating.recalculation import ClosedBy, missing_rule
from gridtally.rating.state import State
from gridtally.rating.tariff import Part, carries_state
from gridtally.rating.usage import ACTIVE_FLOWS, MISSING, Flow, Usage

PeriodKey = tuple[str, UUID, date]
"""Tenant, agreement and first day: what one live invoice belongs to."""
AGREEMENT_LEFT = "agreement_left"
"""The reason of a period that is never held: its agreement ended before it, by now."""


@dataclass(frozen=True, slots=True, eq=False)
class ClosedPeriod:
    """A period as it was closed: `series` in Wh by flow, `minutes` the interval of each.

    `doubtful` are the flows that are not actual throughout. `usage_packed` is the series as
    evidence stores them, `series_leaves` what each adds to the root of a proof, `event` the message
    that they came in.
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
    doubtful: DoubtfulFlows
    expected_intervals: int
    present_intervals: int
    digest: str
    usage_packed: bytes
    series_leaves: Sequence[bytes]
    correlation_id: str
    event: bytes

    @property
    def key(self) -> PeriodKey:
        """What one live invoice belongs to."""
        return self.tenant_id, self.agreement_id, self.period.start_on

    @property
    def energy_wh(self) -> int:
        """What was metered, of all flows together, Wh and varh alike: a sum to reconcile by."""
        return sum(
            int(values.sum(where=values != MISSING, dtype=np.int64))
            for values in self.series.values()
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeldPeriod:
    """A closed period that cannot be billed yet, with its reason."""

    closed: ClosedPeriod
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class LiveInvoice:
    """Which invoice of a period is live: its revision, and how often that was restated."""

    revision: int
    restatement: int


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The last period of the agreement before a period, and the state that its invoice left.

    `is_invoiced` where its newest revision has its invoice.
    """

    end_on: date
    is_invoiced: bool
    state: State


@dataclass(frozen=True, slots=True)
class Successor:
    """The live invoice of the period after another, by the states that it was computed with.

    `carried` is what its period carries forward by now. That differs from the invoice's own
    `state_after` where the period was rated again and came to the same lines.
    """

    state_before: State
    state_after: State
    carried: State

    def rests_on(self, state: State) -> bool:
        """Whether its bill would still be the same if the period before it leaves `state`."""
        return self.state_before == state and self.state_after == self.carried


@dataclass(frozen=True, slots=True, eq=False)
class BillablePeriod:
    """A closed period with the reference data that it needs, but for the state that it starts with.

    `prices` are the series that its tariff names, as far as they are known; `documents` the JSON of
    the parts' versions, by their ids.
    """

    closed: ClosedPeriod
    agreement: Agreement
    usage: Usage
    parts: tuple[Part, ...]
    prices: Mapping[str, VersionedSeries]
    documents: Mapping[UUID, str]

    @property
    def carries_state(self) -> bool:
        """Whether its bill carries something forward."""
        return any(carries_state(part.version) for part in self.parts)

    @property
    def follows(self) -> bool:
        """Whether it can only be billed after the period before."""
        return self.carries_state and self.agreement.billed_from_on < self.closed.period.start_on


@dataclass(frozen=True, slots=True, eq=False)
class BilledPeriod:
    """A closed period with the bill that it makes, and the id of the invoice for it.

    `restatement` counts the invoices of the same revision that a correction of an earlier period
    replaced; `state_before` is what the period before carried forward, as far as the tariff cares.
    """

    billable: BillablePeriod
    state_before: State
    bill: Bill
    restatement: int

    @property
    def closed(self) -> ClosedPeriod:
        """The period that it bills."""
        return self.billable.closed

    @property
    def key(self) -> PeriodKey:
        """What one live invoice belongs to."""
        return self.billable.closed.key

    @property
    def invoice_id(self) -> UUID:
        """The id of its invoice."""
        return invoice_id(self.closed.key, self.closed.revision, self.restatement)

    @property
    def invoice_key(self) -> Key:
        """Tenant and id of the invoice."""
        return self.closed.tenant_id, self.invoice_id

    @property
    def next_key(self) -> PeriodKey:
        """The key of the period that begins where it ends."""
        return self.closed.tenant_id, self.closed.agreement_id, self.closed.period.end_on

    @property
    def state_after(self) -> State:
        """What it carries forward; what the tariff does not know is in it as it came."""
        return self.bill.state


def invoice_id(key: PeriodKey, revision: int, restatement: int) -> UUID:
    """The id of the invoice for a revision of a period."""
    counts = (revision, restatement) if restatement else (revision,)
    return derive_id("invoice", *key, *counts)


def in_agreement_order(periods: Sequence[ClosedPeriod]) -> Iterator[list[ClosedPeriod]]:
    """The periods in order, in lists that hold each agreement once.

    Within a list no period depends on another, so each list can be billed at once; the next list
    finds what the one before has stored.
    """
    remaining = list(periods)
    while remaining:
        first_of: dict[tuple[str, UUID], ClosedPeriod] = {}
        later: list[ClosedPeriod] = []
        for closed in remaining:
            agreement = closed.tenant_id, closed.agreement_id
            if agreement in first_of:
                later.append(closed)
            else:
                first_of[agreement] = closed
        yield list(first_of.values())
        remaining = later


def with_reference_data(
    periods: Sequence[ClosedPeriod], reference_data: ReferenceData
) -> list[BillablePeriod | HeldPeriod]:
    """Each period with its reference data, in order, or the reason why it cannot be billed."""
    periods_with_data: list[BillablePeriod | HeldPeriod] = []
    for closed in periods:
        try:
            periods_with_data.append(_with_reference_data(closed, reference_data))
        except Rejected as refused:
            periods_with_data.append(HeldPeriod(closed, refused.code, refused.detail))
    return periods_with_data


def _with_reference_data(closed: ClosedPeriod, reference_data: ReferenceData) -> BillablePeriod:
    tenant_id = closed.tenant_id
    agreement = reference_data.agreements.get((tenant_id, closed.agreement_id))
    if agreement is None:
        raise Rejected("agreement_missing", f"agreement {closed.agreement_id} is not known")
    if agreement.has_left(closed.period):
        raise Rejected("agreement_left", f"agreement {agreement.id} ended on {agreement.end_on}")
    if not agreement.spans(closed.period) or agreement.meter_id != closed.meter_id:
        raise Rejected(
            "agreement_differs",
            f"agreement {agreement.id} is for meter {agreement.meter_id} from "
            f"{agreement.start_on} to {agreement.end_on or 'now'}",
        )
    meter = reference_data.meters.get((tenant_id, closed.meter_id))
    if meter is None:
        raise Rejected("meter_missing", f"meter {closed.meter_id} is not known")
    parts = reference_data.parts(tenant_id, agreement.tariff_id, closed.period)
    currency = reference_data.currencies[tenant_id, agreement.customer_id]
    if priced_in := {part.version.currency for part in parts} - {currency}:
        raise Rejected(
            "currency_differs",
            f"the customer pays in {currency}, the tariff asks for {', '.join(sorted(priced_in))}",
        )
    prices = reference_data.prices_for(tenant_id, parts)
    versions = dict.fromkeys(part.version.id for part in parts)
    documents = {
        version_id: reference_data.documents[tenant_id, version_id] for version_id in versions
    }
    return BillablePeriod(closed, agreement, _usage(closed, meter), parts, prices, documents)


def _usage(closed: ClosedPeriod, meter: Meter) -> Usage:
    """The series as rating takes them.

    A flow that the meter does not measure has no energy, except that nothing is known of reactive
    energy that is not measured: a tariff that charges for it holds the period.
    """
    if not closed.series:
        raise Rejected("flow_missing", "the period has no series at all")
    try:
        return usage_of(
            closed.zone,
            closed.period,
            closed.minutes,
            closed.series,
            flows_without_channel=[flow for flow in ACTIVE_FLOWS if flow not in meter.flows],
            connected_kw=meter.connected_kw,
        )
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None


def bill_periods(
    periods: Sequence[BillablePeriod | HeldPeriod],
    predecessors: Mapping[PeriodKey, Predecessor],
    live_invoices: Mapping[PeriodKey, LiveInvoice],
) -> list[BilledPeriod | HeldPeriod]:
    """A bill, or the reason why not, for each period, in order.

    `predecessors` by the key of the period that follows them; `live_invoices` are those of the
    periods themselves.
    """
    # A bill costs a plan and a pass over its series. Periods on the same versions of a tariff
    # share the plan, and rating sums their series as one matrix (meters × intervals): 250 months
    # one by one would take most of the time that a batch has.
    results: dict[int, BilledPeriod | HeldPeriod] = {}
    groups: dict[tuple[object, ...], list[tuple[int, _RatablePeriod]]] = {}
    for index, period in enumerate(periods):
        if isinstance(period, HeldPeriod):
            results[index] = period
            continue
        closed = period.closed
        try:
            state = _state_before(period, predecessors.get(closed.key))
        except Rejected as refused:
            results[index] = HeldPeriod(closed, refused.code, refused.detail)
            continue
        ratable = _RatablePeriod(period, state, _restatement(closed, live_invoices.get(closed.key)))
        versions = tuple((part.version.id, part.period) for part in period.parts)
        group_key = (closed.tenant_id, versions, missing_rule(closed.closed_by))
        groups.setdefault(group_key, []).append((index, ratable))
    for group in groups.values():
        billed = _rate_group([ratable for _, ratable in group])
        results.update(zip((index for index, _ in group), billed, strict=True))
    return [results[index] for index in range(len(periods))]


def _state_before(period: BillablePeriod, predecessor: Predecessor | None) -> State:
    """What the period before left; Rejected where it has not been billed yet."""
    if not period.follows:
        return {}
    start_on = period.closed.period.start_on
    if predecessor is None or predecessor.end_on != start_on:
        last = "" if predecessor is None else f"; the last one ends on {predecessor.end_on}"
        raise Rejected(
            "previous_period_missing",
            f"the tariff carries state, and no period that ends on {start_on} was closed{last}",
        )
    if not predecessor.is_invoiced:
        raise Rejected(
            "previous_period_open", f"the period that ends on {start_on} has no invoice yet"
        )
    return predecessor.state


def _restatement(closed: ClosedPeriod, live: LiveInvoice | None) -> int:
    if live is None or live.revision != closed.revision:
        return 0
    return live.restatement + 1


@dataclass(frozen=True, slots=True, eq=False)
class _RatablePeriod:
    billable: BillablePeriod
    state_before: State
    restatement: int


def _rate_group(group: list[_RatablePeriod]) -> list[BilledPeriod | HeldPeriod]:
    """The bills of periods on the same versions; where rating refuses them together they are rated
    one by one, so that only those at fault are held."""
    first = group[0].billable
    try:
        bills = rate(
            first.parts,
            [ratable.billable.usage for ratable in group],
            states=[ratable.state_before for ratable in group],
            prices={code: versioned.series for code, versioned in first.prices.items()},
            missing=missing_rule(first.closed.closed_by),
        )
    except Rejected as refused:
        if len(group) == 1:
            return [HeldPeriod(first.closed, refused.code, refused.detail)]
        return [result for ratable in group for result in _rate_group([ratable])]
    return [
        BilledPeriod(
            ratable.billable,
            ratable.state_before,
            _with_quality(ratable.billable, bill),
            ratable.restatement,
        )
        for ratable, bill in zip(group, bills, strict=True)
    ]


def _with_quality(billable: BillablePeriod, bill: Bill) -> Bill:
    """The bill, whose lines say what they rest on."""
    closed = billable.closed
    lines = with_quality(bill.lines, billable.parts, closed.zone, closed.period, closed.doubtful)
    return replace(bill, lines=lines)
