"""Dunning: who is asked again for what is overdue, at which level, and what that costs.

Owns the levels that items rise through, one with each notice: an item reaches its first level so
many days after it was due, and each later one so many days after the day to which the notice before
gave time. So none is skipped, and none comes twice, however often somebody looks. A fee is a charge
of its own, which is asked for as everything that is overdue is, but rises through no levels: no fee
is charged for a fee.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT, is_payable, minor_decimals
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import ZERO, OpenItem
from gridtally.ledger.accounts.domain.transactions import BALANCE_MAX, sum_of

LEVELS_MAX = 10
ITEMS_MAX = 500
"""The most items that one notice raises; the rest rises with the next."""
DAYS_MAX = 366
DAYS_BACK_MAX = 31
"""A run may ask for the day of the last month on which it was forgotten."""
NoticeState = Literal["issued", "withdrawn"]
WithdrawReason = Literal["mistake", "goodwill", "disputed", "paid_meanwhile"]
StopReason = Literal["disputed", "promised", "hardship", "insolvency", "other"]
"""Words, not texts: so nothing of dunning says what an erasure would have to find."""


@dataclass(frozen=True, slots=True)
class DunningLevel:
    """A level of a tenant's rules.

    name         what people call it, and the fee that is booked with it
    after_days   how many days after the item was due, or after the last notice gave time
    days_to_pay  how many days a notice gives
    fees         by currency what a notice costs; nothing in a currency that is not there
    """

    name: str
    after_days: int
    days_to_pay: int
    fees: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DunningRules:
    """A tenant's levels in their order; nobody is dunned without any.

    minimums    by currency the least that is overdue of a customer who is dunned
    runs_daily  whether a run begins by itself each day
    """

    levels: tuple[DunningLevel, ...] = ()
    minimums: Mapping[str, Decimal] = field(default_factory=dict)
    runs_daily: bool = False

    def require_payable(self) -> None:
        """Rejected for a fee that nobody can pay, being finer than its currency's unit."""
        faults = [
            Fault(f"/levels/{index}/fees", f"{currency} has no unit so small")
            for index, level in enumerate(self.levels)
            for currency, amount in level.fees.items()
            if not is_payable(amount, currency)
        ]
        if faults:
            raise Rejected("finer_than_currency", "the currency has no unit so small", (*faults,))


@dataclass(frozen=True, slots=True)
class DunningRun:
    """A look at all customers of a tenant.

    dunned_on    the day of which it asks what is overdue
    finished_at  None for as long as it goes on
    """

    id: UUID
    dunned_on: date
    started_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DunnedItem:
    """An item that a notice raises to a level; `open` is what is overdue of it."""

    id: UUID
    level: int
    due_on: date
    open: Decimal


@dataclass(frozen=True, slots=True)
class DunningNotice:
    """A customer is asked for what is overdue in a currency.

    level         the highest of its items
    name          what the rules called that level
    items         what has reached a level with this notice, the oldest due first
    others        what else is overdue: what has reached none now, and fees
    credit        what the customer had as credit, which is not asked for
    fee           what it costs; a charge of the notice's id
    pay_by        the last day to pay
    withdrawn_at  since when it no longer counts; None while it does
    """

    id: UUID
    run_id: UUID
    customer_id: UUID
    currency: str
    dunned_on: date
    level: int
    name: str
    items: tuple[DunnedItem, ...]
    others: Decimal
    credit: Decimal
    fee: Decimal
    pay_by: date
    issued_at: datetime
    withdrawn_at: datetime | None = None
    withdraw_reason: WithdrawReason | None = None

    @property
    def total(self) -> Decimal:
        """What is asked for."""
        owed = sum_of([*(item.open for item in self.items), self.others, self.fee])
        return EXACT.subtract(owed, self.credit)

    @property
    def state(self) -> NoticeState:
        """Whether it counts."""
        return "issued" if self.withdrawn_at is None else "withdrawn"

    def fee_command(self, correlation_id: str) -> Command:
        """What books the fee: an item that is due when the notice is."""
        return Command(
            kind="dunning_fee",
            id=self.id,
            customer_id=self.customer_id,
            currency=self.currency,
            amount=self.fee,
            reference=f"{self.name} {self.dunned_on}",
            memo="",
            occurred_at=self.issued_at,
            correlation_id=correlation_id,
            due_on=self.pay_by,
        )

    def withdrawn(self, at: datetime, reason: WithdrawReason) -> "DunningNotice":
        """The notice as it is once it no longer counts; Conflict where that is so already."""
        if self.withdrawn_at is not None:
            raise Conflict("dunning_notice_withdrawn", "the notice was withdrawn already")
        return replace(self, withdrawn_at=at, withdraw_reason=reason)


@dataclass(frozen=True, slots=True)
class LastNotice:
    """The highest level that an item has reached, and to which day it had time then."""

    level: int
    pay_by: date


@dataclass(frozen=True, slots=True)
class DunningHistory:
    """What notices a customer had.

    last     of each item by the notices that count
    fee_ids  the items that are fees, of whatever notices
    """

    last: Mapping[UUID, LastNotice] = field(default_factory=dict)
    fee_ids: frozenset[UUID] = frozenset()


def notice_of(
    rules: DunningRules,
    account: CustomerAccount,
    history: DunningHistory,
    awaited: Mapping[UUID, Decimal],
    run: DunningRun,
    now: datetime,
) -> DunningNotice | None:
    """The notice that a customer gets in a currency; None where no item reaches a level, or where
    less than the least is overdue beyond the customer's credit.

    `awaited` is what of each item is to be paid by a plan that is kept, or is being collected by
    direct debit: nobody is asked for that.
    """
    overdue = [
        (item, _payable(EXACT.subtract(item.open, awaited.get(item.id, ZERO)), account.currency))
        for item in account.open_items()
        if item.due_on < run.dunned_on
    ]
    overdue = [(item, open_) for item, open_ in overdue if open_ > 0]
    claims = [(item, open_) for item, open_ in overdue if item.id not in history.fee_ids]
    credit = sum_of([account.prepaid, *(EXACT.minus(own.open) for own in account.open_items(-1))])
    short = EXACT.subtract(sum_of(open_ for _, open_ in claims), credit)
    if short <= 0 or short < rules.minimums.get(account.currency, ZERO):
        return None
    reached = [
        DunnedItem(item.id, level, item.due_on, open_)
        for item, open_ in claims
        if (level := _reached(rules, item, history.last.get(item.id), run.dunned_on))
    ][:ITEMS_MAX]
    if not reached or not account.is_known:
        return None
    raised = sum_of(item.open for item in reached)
    level = max(item.level for item in reached)
    rule = rules.levels[level - 1]
    return DunningNotice(
        id=derive_id("dunning_notice", run.id, account.customer_id, account.currency),
        run_id=run.id,
        customer_id=account.customer_id,
        currency=account.currency,
        dunned_on=run.dunned_on,
        level=level,
        name=rule.name,
        items=tuple(reached),
        others=EXACT.subtract(sum_of(open_ for _, open_ in overdue), raised),
        credit=credit,
        fee=_fee(rule, account),
        pay_by=max(run.dunned_on, now.date()) + timedelta(days=rule.days_to_pay),
        issued_at=now,
    )


def _payable(open_: Decimal, currency: str) -> Decimal:
    """What somebody can pay of it: an invoice may have more decimals than its currency."""
    step = Decimal(1).scaleb(-minor_decimals(currency))
    return open_.quantize(step, ROUND_DOWN, EXACT)


def _reached(rules: DunningRules, item: OpenItem, last: LastNotice | None, on: date) -> int | None:
    """The level after its last one, if the item has reached it."""
    level = last.level if last else 0
    if level >= len(rules.levels):
        return None
    since = last.pay_by if last else item.due_on
    return level + 1 if (on - since).days >= rules.levels[level].after_days else None


def _fee(rule: DunningLevel, account: CustomerAccount) -> Decimal:
    """What the level costs, unless the account could not hold it."""
    fee = rule.fees.get(account.currency, ZERO)
    owed = sum_of([fee, *(item.open for item in account.open_items())])
    return fee if owed < BALANCE_MAX else ZERO


@dataclass(frozen=True, slots=True)
class DunningStop:
    """A customer gets no notices up to and including a day, or until that is ended."""

    customer_id: UUID
    reason: StopReason
    until: date | None = None

    def is_in_force(self, on: date) -> bool:
        """Whether the customer gets no notices on a day."""
        return self.until is None or on <= self.until
