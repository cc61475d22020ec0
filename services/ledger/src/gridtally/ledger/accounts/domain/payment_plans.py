"""Payment plans: a customer's debt in instalments, and how far each of them is paid.

Owns which instalments a plan may have, and what follows from the items' open amounts on any day. A
plan posts nothing: money goes to items by the rule as before, and an instalment is paid as far as
what is no longer open of the plan's items reaches, in order. What was credited, written off or
cancelled of an item is nobody's payment: the plan shrinks by it, from its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.money import EXACT, in_currency, is_payable, minor_decimals, plain
from gridtally.kernel.periods import month_of, months_after
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.transactions import TransactionKind, sum_of

INSTALMENTS_MAX = 120
ITEMS_MAX = 100
GRACE_DAYS_MAX = 90
GRACE_DAYS_DEFAULT = 7
YEARS_MAX = 20
"""A plan ends within so many years."""
REDUCING_KINDS: tuple[TransactionKind, ...] = ("credit_note", "write_off", "reversal")
"""What makes less of an item without paying it."""
PlanState = Literal["kept", "late", "broken", "fulfilled", "cancelled"]
CancelReason = Literal["broken", "replaced", "withdrawn", "mistake"]
"""A word, not a text: so a plan says nothing about a person that an erasure would have to find."""


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """An open item in a plan, as it was at the agreement.

    agreed   what was open of it then
    reduced  what had been credited, written off or cancelled of it by then, which is in no plan
    """

    id: UUID
    agreed: Decimal
    reduced: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Instalment:
    """So much, to be paid by the end of a day in UTC."""

    due_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentPlan:
    """A debt that is to be paid in instalments.

    items         the open items that it is about
    instalments   by their due days, which differ; together what was open of the items
    grace_days    an instalment that is later than so many days breaks the plan
    cancelled_at  since when it no longer counts; None while it does
    """

    id: UUID
    customer_id: UUID
    currency: str
    items: tuple[PlannedItem, ...]
    instalments: tuple[Instalment, ...]
    grace_days: int
    agreed_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: CancelReason | None = None

    def next_look_on(self, today: date) -> date | None:
        """The first day after `today` on which an instalment that is not paid would be late, or
        would break the plan; None where there is none."""
        waits = (timedelta(days=1), timedelta(days=self.grace_days + 1))
        days = (own.due_on + wait for own in self.instalments for wait in waits)
        return min((day for day in days if day > today), default=None)


@dataclass(frozen=True, slots=True)
class ItemPosition:
    """What a planned item has come to.

    due_on   its own due day
    open     what is open of it
    reduced  what was credited, written off or cancelled of it, ever
    """

    due_on: date
    open: Decimal
    reduced: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class InstalmentPosition:
    """An instalment as it stands: `amount` is what is left of it once the plan has shrunk."""

    due_on: date
    amount: Decimal
    paid: Decimal

    @property
    def open(self) -> Decimal:
        """What is still to be paid of it."""
        return EXACT.subtract(self.amount, self.paid)


@dataclass(frozen=True, slots=True)
class PlanPosition:
    """A plan, and what its items have come to; an item that the books lack has nothing open."""

    plan: PaymentPlan
    items: Mapping[UUID, ItemPosition]

    @classmethod
    def at_agreement(cls, plan: PaymentPlan) -> "PlanPosition":
        """The plan as long as nothing has come to its items."""
        day = plan.instalments[0].due_on
        items = {own.id: ItemPosition(day, own.agreed, own.reduced) for own in plan.items}
        return cls(plan, items)

    def left_of(self, item: PlannedItem) -> Decimal:
        """What of an item is still the plan's: all that was agreed, less what it was reduced by."""
        now = self.items.get(item.id)
        reduced = EXACT.subtract(now.reduced, item.reduced) if now else ZERO
        return EXACT.subtract(item.agreed, min(max(reduced, ZERO), item.agreed))

    def open_of(self, item: PlannedItem) -> Decimal:
        """What is open of the plan's part of an item. What a bounced payment has opened beyond what
        was agreed is no part of the plan, and due as the item is."""
        now = self.items.get(item.id)
        return min(max(now.open, ZERO), self.left_of(item)) if now else ZERO

    @property
    def total(self) -> Decimal:
        """What the plan comes to now."""
        return sum_of(self.left_of(item) for item in self.plan.items)

    @property
    def open(self) -> Decimal:
        """What is still to be paid."""
        return sum_of(self.open_of(item) for item in self.plan.items)

    @property
    def paid(self) -> Decimal:
        """What was paid since the agreement."""
        return EXACT.subtract(self.total, self.open)

    def instalments(self) -> list[InstalmentPosition]:
        """Each instalment, shrunk from the end, and paid from the beginning."""
        total, paid = self.total, self.paid
        positions, before = [], ZERO
        for own in self.plan.instalments:
            amount = min(own.amount, EXACT.subtract(total, before))
            reached = min(max(EXACT.subtract(paid, before), ZERO), amount)
            positions.append(InstalmentPosition(own.due_on, amount, reached))
            before = EXACT.add(before, amount)
        return positions

    def late(self, on: date) -> Decimal:
        """What was due before a day and is not paid."""
        return sum_of(own.open for own in self.instalments() if own.due_on < on)

    def state(self, on: date) -> PlanState:
        """How it stands on a day; one that was broken is kept again once all is paid that was
        due."""
        return self._state(self.instalments(), on)

    def _state(self, instalments: Sequence[InstalmentPosition], on: date) -> PlanState:
        if self.plan.cancelled_at is not None:
            return "cancelled"
        days_late = [(on - own.due_on).days for own in instalments if own.open]
        if not days_late:
            return "fulfilled"
        if max(days_late) > self.plan.grace_days:
            return "broken"
        return "late" if max(days_late) > 0 else "kept"

    def moves(self, on: date) -> Iterator[tuple[date, Decimal]]:
        """What a plan that is not broken changes of what is due when, which comes to nothing in
        all: its part of each item is not due as the item is, but as the instalments are."""
        instalments = self.instalments()
        if self._state(instalments, on) not in ("kept", "late"):
            return
        for item in self.plan.items:
            if open_ := self.open_of(item):
                yield self.items[item.id].due_on, EXACT.minus(open_)
        for own in instalments:
            if own.open:
                yield own.due_on, own.open

    def require_live(self, on: date) -> None:
        """Conflict where it has ended, so that nothing is left to cancel."""
        if (state := self.state(on)) in ("cancelled", "fulfilled"):
            raise Conflict("plan_ended", f"the plan is {state}")


@dataclass(frozen=True, slots=True)
class EqualInstalments:
    """So many instalments, the first on a day, one every so many months: on the same day of the
    month, or its last where it is shorter."""

    count: int
    first_due_on: date
    every_months: int = 1

    def days(self) -> list[date]:
        """The due days."""
        first = month_of(self.first_due_on)
        months = (
            month_of(months_after(first.start_on, index * self.every_months))
            for index in range(self.count)
        )
        day = self.first_due_on.day
        return [
            min(month.start_on + timedelta(days=day - 1), month.end_on - timedelta(days=1))
            for month in months
        ]


@dataclass(frozen=True, slots=True)
class RequestedInstalment:
    """An instalment that was asked for; without an amount, the last takes what remains."""

    due_on: date
    amount: Decimal | None


def requested_items(account: CustomerAccount, ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """What is open of each item that is to be in a plan; Rejected where that is nothing."""
    agreed = {}
    for index, id_ in enumerate(ids):
        item = account.item(id_)
        if item is None or item.open <= 0 or id_ in agreed:
            detail = "must be an open item of the customer in this currency, and named once"
            fault = Fault(f"/invoice_ids/{index}", detail)
            raise Rejected("item_not_open", "there is nothing to be paid of it", (fault,))
        agreed[id_] = item.open
    return agreed


def instalments_of(
    wanted: EqualInstalments | Sequence[RequestedInstalment],
    total: Decimal,
    currency: str,
    today: date,
) -> tuple[Instalment, ...]:
    """The instalments of a debt; Rejected where they do not come to it, or by days that cannot
    be."""
    if isinstance(wanted, EqualInstalments):
        _require_days([wanted.first_due_on], today, "/equal/first_due_on")
        days = wanted.days()
        _require_days(days[-1:], today, "/equal/count")
        step = Decimal(1).scaleb(-minor_decimals(currency))
        share = EXACT.divide(total, Decimal(wanted.count)).quantize(step, ROUND_DOWN, EXACT)
        if not share:
            raise _refused("/equal/count", "must leave something for each instalment")
        parts: list[Decimal | None] = [share] * (wanted.count - 1)
        return _with_rest(days, [*parts, None], total, currency, "/equal/count")
    _require_days([own.due_on for own in wanted], today, "/instalments")
    amounts = [own.amount for own in wanted]
    return _with_rest([own.due_on for own in wanted], amounts, total, currency, "/instalments")


def _with_rest(
    days: Sequence[date],
    amounts: Sequence[Decimal | None],
    total: Decimal,
    currency: str,
    path: str,
) -> tuple[Instalment, ...]:
    """Instalments of which the last, where it has no amount, takes what remains."""
    *firsts, last = amounts
    known = [amount for amount in firsts if amount is not None]
    if len(known) < len(firsts) or not all(is_payable(amount, currency) for amount in known):
        detail = f"must each have an amount that can be paid in {currency}, but for the last"
        raise _refused(path, detail)
    rest = EXACT.subtract(total, sum_of(known))
    if rest <= 0 or last not in (None, rest):
        raise _refused(path, f"must come to {plain(in_currency(total, currency))}")
    return tuple(map(Instalment, days, (*known, rest)))


def _require_days(days: Sequence[date], today: date, path: str) -> None:
    ordered = all(day < later for day, later in pairwise(days))
    if not ordered or days[0] < today or days[-1] > today + timedelta(days=366 * YEARS_MAX):
        detail = f"must fall due one after another, from {today} and within {YEARS_MAX} years"
        raise _refused(path, detail)


def _refused(path: str, detail: str) -> Rejected:
    return Rejected("invalid_instalments", "these cannot be instalments", (Fault(path, detail),))
