"""Budget plans: equal monthly amounts, settled once against what was really used.

Owns what a plan asks for and when, which invoices wait for its settlement, and what that comes to.
Each plan has an account of its own in the books. An instalment is an open item against it. An
invoice of its time is paid from it, so that nobody is asked for that invoice before the settlement.
What then stands on the account is what was asked for beyond what was used: credit, or a last item.
Refuses plans of one customer and currency that overlap.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.commands import Command, RequestedAllocation
from gridtally.ledger.accounts.domain.open_items import ZERO, OpenItem
from gridtally.ledger.accounts.domain.payment_plans import EqualInstalments, Instalment
from gridtally.ledger.accounts.domain.transactions import sum_of, transaction_id

MONTHS_MAX = 24
MONTHS_DEFAULT = 12
REQUEST_DAYS = 14
"""So many days before it is due an instalment is asked for: as many as a direct debit is announced
beforehand, unless other days were agreed (SEPA Core rulebook, pre-notification)."""
SETTLE_DAYS_DEFAULT = 42
"""So many days after its end a plan is settled by itself: the six weeks in which a supplier has to
bill a year (EnWG § 40c (2))."""
SETTLE_DAYS_MAX = 366
DAYS_BACK_MAX = 366
"""A plan may have begun so many days ago."""
BudgetState = Literal["running", "ended", "settled"]


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """What a customer pays in advance in a currency, and for what.

    start_on     invoices of periods that begin on this local day or later wait for its settlement
    end_on       and before this one
    instalments  what is asked for, by the due days, which differ
    settle_on    the day, in UTC, on which it is settled by itself
    agreed_at    since when it is there: what was issued before is due as it is
    settled_at   when it was settled first; None while it was not
    settled      what its settlements came to: above zero was owed, below zero is credit
    """

    id: UUID
    customer_id: UUID
    currency: str
    start_on: date
    end_on: date
    instalments: tuple[Instalment, ...]
    settle_on: date
    agreed_at: datetime
    settled_at: datetime | None = None
    settled: Decimal = ZERO

    @property
    def account(self) -> Account:
        """Its account in the books."""
        return chart.budget(self.currency, self.customer_id, self.id)

    def item_id(self, instalment: Instalment) -> UUID:
        """The open item that an instalment becomes; one for each day, whatever its amount is."""
        return derive_id("budget_instalment", self.id, instalment.due_on)

    def number(self, instalment: Instalment) -> str:
        """What people call an instalment."""
        return f"BP-{self.id.hex[-8:].upper()}-{instalment.due_on:%y%m%d}"

    def state(self, on: date) -> BudgetState:
        """How it stands on a day."""
        if self.settled_at is not None:
            return "settled"
        return "running" if on < self.end_on else "ended"

    def is_open_at(self, at: datetime) -> bool:
        """Whether what was issued at a moment is this plan's, once it is known of which time it is.

        It goes by the dates of documents, and not by when they are posted: so after a restore the
        same is posted again, in whatever order they come.
        """
        return self.agreed_at <= at and (self.settled_at is None or at < self.settled_at)

    def defers(self, start_on: date, issued_at: datetime) -> bool:
        """Whether an invoice of a period that begins on a day waits for the settlement."""
        return self.start_on <= start_on < self.end_on and self.is_open_at(issued_at)

    def due_requests(self, today: date) -> list[Instalment]:
        """The instalments that are to be asked for by a day."""
        return [own for own in self.instalments if requested_on(own) <= today]

    def next_look_on(self, today: date) -> date | None:
        """The first day after `today` on which something is to be done; None where there is
        none."""
        if self.settled_at is not None:
            return None
        days = [*map(requested_on, self.instalments), self.settle_on]
        return min((day for day in days if day > today), default=today + ONE_DAY)

    def request(self, instalment: Instalment, now: datetime) -> Command:
        """What asks for an instalment. One that is asked for late, as after the ledger was down,
        is due so many days later: nobody is overdue with what nobody has asked for."""
        number = self.number(instalment)
        agreed_on = self.agreed_at.astimezone(UTC).date()
        late = now.astimezone(UTC).date() - max(requested_on(instalment), agreed_on)
        return self._command(
            "instalment", self.item_id(instalment), instalment.amount, number, now,
            due_on=instalment.due_on + max(late, timedelta(0)),
        )  # fmt: skip

    def deferral(self, item: OpenItem, issued_at: datetime, correlation_id: str) -> Command:
        """What has an invoice wait for the settlement: all that is open of it."""
        command = self._command(
            "deferral", deferral_id(self.id, item.id), item.open, item.number, issued_at
        )
        named = (RequestedAllocation(item.id, item.open),)
        return replace(command, allocations=named, correlation_id=correlation_id)

    def given_back(self, short: Decimal, credited: Iterable[tuple[datetime, Decimal]]) -> Decimal:
        """How much of a deferral had come back by credit notes, which are given by date and amount,
        before the plan was settled. `short` is what its invoice no longer has open; what the last
        notes took came back last, and what came back after the settlement is credit."""
        back = ZERO
        for at, amount in sorted(credited, reverse=True):
            taken = min(short, amount)
            short = EXACT.subtract(short, taken)
            if self.is_open_at(at):
                back = EXACT.add(back, taken)
        return back

    def settlement(self, balance: Decimal, version: int, now: datetime, due_on: date) -> Command:
        """What settles it where `balance`, debits less credits of its account, is not zero: a
        charge that is due on a day, or credit. `version` is the plan's by then."""
        id_ = derive_id("budget_settlement", self.id, version)
        number = f"BP-{self.id.hex[-8:].upper()}"
        if balance > 0:
            return self._command("budget_charge", id_, balance, number, now, due_on=due_on)
        return self._command("budget_credit", id_, EXACT.minus(balance), number, now)

    def _command(
        self,
        kind: Literal["instalment", "deferral", "budget_charge", "budget_credit"],
        id_: UUID,
        amount: Decimal,
        reference: str,
        at: datetime,
        due_on: date | None = None,
    ) -> Command:
        return Command(
            kind=kind,
            id=id_,
            customer_id=self.customer_id,
            currency=self.currency,
            amount=amount,
            reference=reference,
            memo="",
            occurred_at=at,
            correlation_id=str(self.id),
            due_on=due_on,
            plan_id=self.id,
        )

    def with_amount(
        self, amount: Decimal, from_on: date, asked: Collection[Instalment]
    ) -> "BudgetPlan":
        """The plan with another amount for what is due from a day on; `asked` was asked for.

        Rejected where none is left to be changed, or one of them was asked for already.
        """
        self._require_unsettled()
        changed = [own for own in self.instalments if own.due_on >= from_on]
        last = max((own.due_on for own in asked), default=date.min)
        if not changed or from_on <= last:
            detail = f"must be after {last}, and not after the last instalment"
            fault = Fault("/from_on", detail if asked else "must not be after the last instalment")
            raise Rejected("instalment_requested", "none of them can be changed any more", (fault,))
        return replace(
            self,
            instalments=tuple(
                replace(own, amount=amount) if own.due_on >= from_on else own
                for own in self.instalments
            ),
        )

    def ended(self, end_on: date, asked: Collection[Instalment]) -> "BudgetPlan":
        """The plan, ended early: it asks for nothing more than it has, or that is due before the
        end, and is settled as many days after that as was agreed."""
        self._require_unsettled()
        if not self.start_on < end_on <= self.end_on:
            detail = f"must be after {self.start_on}, and not after {self.end_on}"
            fault = Fault("/end_on", detail)
            raise Rejected("invalid_budget_plan", "it cannot end then", (fault,))
        left = (own for own in self.instalments if own.due_on < end_on or own in asked)
        return replace(
            self,
            end_on=end_on,
            instalments=tuple(left),
            settle_on=end_on + (self.settle_on - self.end_on),
        )

    def settled_by(
        self, balance: Decimal, asked: Collection[Instalment], now: datetime
    ) -> "BudgetPlan":
        """The plan once it is settled: what it had not asked for, it never will."""
        return replace(
            self,
            instalments=tuple(own for own in self.instalments if own in asked),
            settled_at=self.settled_at or now,
            settled=EXACT.add(self.settled, balance),
        )

    def require_settleable(self, today: date) -> None:
        """Conflict where it is settled already, or goes on."""
        self._require_unsettled()
        if today < self.end_on:
            detail = f"it goes on until {self.end_on}; end it first"
            raise Conflict("budget_plan_running", detail)

    def _require_unsettled(self) -> None:
        if self.settled_at is not None:
            raise Conflict("budget_plan_settled", "the plan was settled already")


@dataclass(frozen=True, slots=True)
class BudgetPosition:
    """A plan, and what has come of it.

    asked    the open items of what it has asked for, by their ids
    balance  debits less credits of its account
    """

    plan: BudgetPlan
    asked: Mapping[UUID, OpenItem]
    balance: Decimal

    def item(self, instalment: Instalment) -> OpenItem | None:
        """The open item of an instalment; None while it was not asked for."""
        return self.asked.get(self.plan.item_id(instalment))

    def instalments_asked(self) -> list[Instalment]:
        """What was asked for."""
        return [own for own in self.plan.instalments if self.item(own)]

    @property
    def requested(self) -> Decimal:
        """All that was asked for."""
        return sum_of(item.total for item in self.asked.values())

    @property
    def used(self) -> Decimal:
        """What the invoices of its time came to, less what was credited of them."""
        return sum_of([self.requested, self.balance, self.plan.settled])


def requested_on(instalment: Instalment) -> date:
    """The day, in UTC, on which an instalment is asked for."""
    return instalment.due_on - timedelta(days=REQUEST_DAYS)


def deferral_id(plan_id: UUID, item_id: UUID) -> UUID:
    """The document by which an invoice waits for a plan's settlement."""
    return derive_id("budget_deferral", plan_id, item_id)


def deferring(plans: Sequence[BudgetPlan], tenant_id: str, item_id: UUID) -> dict[UUID, BudgetPlan]:
    """Which of a customer's plans may have taken an item upon it, by the transactions that would
    have."""
    return {transaction_id(tenant_id, deferral_id(own.id, item_id)): own for own in plans}


@dataclass(frozen=True, slots=True)
class RequestedBudget:
    """A plan that is asked for."""

    customer_id: UUID
    currency: str
    amount: Decimal
    start_on: date
    months: int = MONTHS_DEFAULT
    first_due_on: date | None = None
    settle_days: int = SETTLE_DAYS_DEFAULT


def agreed_plan(
    id_: UUID, wanted: RequestedBudget, others: Sequence[BudgetPlan], now: datetime
) -> BudgetPlan:
    """The plan as it would be agreed now. Rejected for days that cannot be, Conflict where another
    plan of the customer in this currency has some of its days."""
    today = now.astimezone(UTC).date()
    if abs((wanted.start_on - today).days) > DAYS_BACK_MAX:
        fault = Fault("/start_on", f"must be within {DAYS_BACK_MAX} days from {today}")
        raise Rejected("invalid_budget_plan", "it cannot begin then", (fault,))
    end_on = EqualInstalments(wanted.months + 1, wanted.start_on).days()[-1]
    first_on = wanted.first_due_on or max(wanted.start_on, today)
    if not max(wanted.start_on, today) <= first_on < end_on:
        detail = f"must be from {max(wanted.start_on, today)} to {end_on - ONE_DAY}"
        fault = Fault("/first_due_on", detail)
        raise Rejected("invalid_budget_plan", "it cannot be due then", (fault,))
    days = [day for day in EqualInstalments(wanted.months, first_on).days() if day < end_on]
    plan = BudgetPlan(
        id=id_,
        customer_id=wanted.customer_id,
        currency=wanted.currency,
        start_on=wanted.start_on,
        end_on=end_on,
        instalments=tuple(Instalment(day, wanted.amount) for day in days),
        settle_on=end_on + timedelta(days=wanted.settle_days),
        agreed_at=now,
    )
    period = Period(plan.start_on, plan.end_on)
    for other in others:
        is_of_currency = other.currency == plan.currency
        if is_of_currency and period.overlap(Period(other.start_on, other.end_on)):
            fault = Fault("/start_on", f"must not be from {other.start_on} until {other.end_on}")
            raise Conflict("budget_plan_overlaps", "another plan has these days", (fault,))
    return plan


def monthly_amount(invoiced: Decimal, months: int) -> Decimal | None:
    """What a month comes to of what was invoiced in so many, in whole units and rather more than
    less; None where nothing was."""
    if invoiced <= 0:
        return None
    share = EXACT.divide(invoiced, Decimal(months))
    return share.quantize(Decimal(1), ROUND_CEILING, EXACT)
