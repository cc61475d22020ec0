"""Closed periods: from what was metered, and the facts, to a bill or the reason to hold it.

Refuses to decide what is missing or estimated: that was done when the period was closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from billing.domain.agreements import Agreement
from billing.domain.facts import Facts, Key, Meter
from billing.domain.intervals import FLOWS, usage_of
from billing.domain.prices import CopiedSeries
from kernel.errors import Rejected
from kernel.ids import derive_id
from kernel.periods import Period
from rating.bill import Bill, rate
from rating.state import State
from rating.tariff import Part, carries_state
from rating.usage import MISSING, Flow, Usage

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
class Held:
    """A closed period that cannot be billed yet, and why."""

    closed: ClosedPeriod
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Invoiced:
    """A period's live invoice: its revision, and how often that was restated."""

    revision: int
    restatement: int


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The last period of the agreement before a period, and the state that its invoice left.

    `settled` when its newest revision has its invoice.
    """

    end_on: date
    settled: bool
    state: State


@dataclass(frozen=True, slots=True, eq=False)
class Billable:
    """A closed period with the facts that it needs, but for the state that it starts with.

    `prices` are the series that its tariff names, as far as they are known.
    """

    closed: ClosedPeriod
    agreement: Agreement
    usage: Usage
    parts: tuple[Part, ...]
    prices: Mapping[str, CopiedSeries]

    @property
    def carries_state(self) -> bool:
        """Whether its bill hands something on."""
        return any(carries_state(part.version) for part in self.parts)

    @property
    def follows(self) -> bool:
        """Whether it can only be billed after the period before."""
        return self.carries_state and self.agreement.start_on < self.closed.period.start_on

    @property
    def missing(self) -> MissingRule:
        """What closed before it was complete is billed as it is."""
        return "refused" if self.closed.closed_by == "complete" else "nothing"


@dataclass(frozen=True, slots=True, eq=False)
class Billed:
    """A closed period with the bill that it makes, and the id of the invoice for it.

    `restatement` counts the invoices of the same revision that a correction of an earlier period
    replaced; `state_before` is what the period before handed on, as far as the tariff cares.
    """

    billable: Billable
    state_before: State
    bill: Bill
    restatement: int

    @property
    def closed(self) -> ClosedPeriod:
        """The period that it bills."""
        return self.billable.closed

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
        """The key of the period that takes over from it."""
        return self.closed.tenant_id, self.closed.agreement_id, self.closed.period.end_on

    @property
    def state_after(self) -> State:
        """What it hands to the next period; what the tariff does not know is in it as it came."""
        return self.bill.state


def invoice_id(key: PeriodKey, revision: int, restatement: int) -> UUID:
    """The id of the invoice for a revision of a period."""
    counts = (revision, restatement) if restatement else (revision,)
    return derive_id("invoice", *key, *counts)


def with_facts(periods: Sequence[ClosedPeriod], facts: Facts) -> list[Billable | Held]:
    """Each period with its facts, in order, or the reason why it cannot be billed."""
    found: list[Billable | Held] = []
    for closed in periods:
        try:
            found.append(_with_facts(closed, facts))
        except Rejected as refused:
            found.append(Held(closed, refused.code, refused.detail))
    return found


def bill_periods(
    found: Sequence[Billable | Held],
    before: Mapping[PeriodKey, Predecessor],
    invoiced: Mapping[PeriodKey, Invoiced],
) -> list[Billed | Held]:
    """A bill, or the reason why not, for each period, in order; alike ones are rated together.

    `before` holds the predecessors of those that follow one, `invoiced` what is live already.
    """
    results: dict[int, Billed | Held] = {}
    alike: dict[tuple[object, ...], list[tuple[int, _Ready]]] = {}
    for place, one in enumerate(found):
        if isinstance(one, Held):
            results[place] = one
            continue
        key = one.closed.key
        try:
            state = _state_before(one, before.get(key))
        except Rejected as refused:
            results[place] = Held(one.closed, refused.code, refused.detail)
            continue
        ready = _Ready(one, state, _restatement(one.closed, invoiced.get(key)))
        shares = tuple((part.version.id, part.period) for part in one.parts)
        alike.setdefault((key[0], shares, one.missing), []).append((place, ready))
    for group in alike.values():
        billed = _rate_group([ready for _, ready in group])
        results.update(zip((place for place, _ in group), billed, strict=True))
    return [results[place] for place in range(len(found))]


def _state_before(one: Billable, before: Predecessor | None) -> State:
    """What the period before left; Rejected where it has not been billed yet."""
    if not one.follows:
        return {}
    start_on = one.closed.period.start_on
    if before is None or before.end_on != start_on:
        last = "" if before is None else f"; the last one ends on {before.end_on}"
        raise Rejected(
            "previous_period_missing",
            f"the tariff carries state, and no period that ends on {start_on} was closed{last}",
        )
    if not before.settled:
        raise Rejected(
            "previous_period_open", f"the period that ends on {start_on} has no invoice yet"
        )
    return before.state


def _restatement(closed: ClosedPeriod, live: Invoiced | None) -> int:
    if live is None or live.revision != closed.revision:
        return 0
    return live.restatement + 1


def rounds(periods: Sequence[ClosedPeriod]) -> Iterator[list[ClosedPeriod]]:
    """The periods in order, in lists that hold each agreement once."""
    waiting = list(periods)
    while waiting:
        taken: dict[tuple[str, UUID], ClosedPeriod] = {}
        later: list[ClosedPeriod] = []
        for closed in waiting:
            agreement = closed.tenant_id, closed.agreement_id
            if agreement in taken:
                later.append(closed)
            else:
                taken[agreement] = closed
        yield list(taken.values())
        waiting = later


def _with_facts(closed: ClosedPeriod, facts: Facts) -> Billable:
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
    prices = facts.prices_for(tenant_id, parts)
    return Billable(closed, agreement, _usage(closed, meter), parts, prices)


def _usage(closed: ClosedPeriod, meter: Meter) -> Usage:
    """The series as rating takes them; a flow that the meter does not measure is nothing."""
    if not closed.series:
        raise Rejected("flow_missing", "the period has no series at all")
    try:
        return usage_of(
            closed.zone,
            closed.period,
            closed.minutes,
            closed.series,
            nothing_of=[flow for flow in FLOWS if flow not in meter.flows],
            connected_kw=meter.connected_kw,
        )
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    billable: Billable
    state_before: State
    restatement: int


def _rate_group(group: list[_Ready]) -> list[Billed | Held]:
    """Rate together; where that is refused, one by one, so that only the culprits are held."""
    first = group[0].billable
    try:
        bills = rate(
            first.parts,
            [one.billable.usage for one in group],
            states=[one.state_before for one in group],
            prices={name: copied.series for name, copied in first.prices.items()},
            missing=first.missing,
        )
    except Rejected as refused:
        if len(group) == 1:
            return [Held(first.closed, refused.code, refused.detail)]
        return [result for one in group for result in _rate_group([one])]
    return [
        Billed(one.billable, one.state_before, bill, one.restatement)
        for one, bill in zip(group, bills, strict=True)
    ]
