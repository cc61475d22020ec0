"""Events of dunning: a tenant's rules, the notices that were issued, and who gets none.

What is booked for a notice, its fee, is published as `transaction.recorded`.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.accounts import CURRENCIES_MAX, Paid
from gridtally.contracts.model import (
    READ_EXACTLY,
    SHOWN_AS_DECIMAL,
    WRITTEN_PLAINLY,
    ContractModel,
    Count,
    Currency,
    Day,
    Event,
    Instant,
)

LEVELS_MAX = 10
"""The most levels of a tenant's rules."""
NOTICE_ITEMS_MAX = 500
"""The most invoices and charges that one notice raises to a level."""

Level = Annotated[int, Field(ge=1, le=100)]
LevelName = Annotated[str, Field(min_length=1, max_length=100)]
NotNegative = Annotated[
    Decimal,
    Field(ge=0, lt=10**18, allow_inf_nan=False, max_digits=50, decimal_places=34),
    READ_EXACTLY,
    WRITTEN_PLAINLY,
    SHOWN_AS_DECIMAL,
]


class CurrencyAmount(ContractModel):
    """An amount in a currency."""

    currency: Currency
    """The currency of `amount`."""
    amount: NotNegative
    """How much, in `currency`."""


class DunningLevel(ContractModel):
    """What a level of a tenant's rules says."""

    name: LevelName
    """What people call it, and the fee that is booked with it."""
    after_days: Annotated[int, Field(ge=1, le=366)]
    """How many days an invoice is overdue then: of the first level since its due day, of each
    later one since the day to which the notice before gave time."""
    days_to_pay: Annotated[int, Field(ge=0, le=366)]
    """How many days a notice gives to pay."""
    fees: Annotated[list[CurrencyAmount], Field(max_length=CURRENCIES_MAX)]
    """The fee of a notice, by currency; none in a currency that is not there."""


class DunningRulesChanged(Event):
    """A tenant's rules of dunning as they are from now on."""

    TOPIC: ClassVar[str] = "dunning_rules.changed.v1"
    KEY: ClassVar[str] = "rules"

    rules: Literal["default"] = "default"
    """Which rules; a tenant has these."""
    levels: Annotated[list[DunningLevel], Field(max_length=LEVELS_MAX)]
    """The levels in their order; nobody is dunned without any."""
    minimums: Annotated[list[CurrencyAmount], Field(max_length=CURRENCIES_MAX)]
    """By currency the least that is overdue of a customer who is dunned."""
    runs_daily: bool = False
    """Whether a run begins by itself as each day begins in UTC."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class DunnedItem(ContractModel):
    """An invoice or a charge that a notice raises to a level."""

    invoice_id: UUID
    """The invoice or charge."""
    level: Level
    """The number of the level that it has reached; the first is 1."""
    due_on: Day
    """When it was due."""
    open: Paid
    """What is open of it and overdue, in the notice's currency."""


class DunningNoticeChanged(Event):
    """A notice that asks a customer to pay what is overdue, as it was issued, or withdrawn since.

    Of what is overdue, `items` have reached a level with this notice; `others` have not, or are
    the fees of earlier ones.
    """

    TOPIC: ClassVar[str] = "dunning_notice.changed.v1"
    KEY: ClassVar[str] = "notice_id"

    notice_id: UUID
    """The notice; its fee is a charge of the same id."""
    run_id: UUID
    """The run that issued it."""
    customer_id: UUID
    """Who is to pay."""
    currency: Currency
    """The currency of all amounts."""
    dunned_on: Day
    """The day of which the run asked what was overdue."""
    level: Level
    """The number of the highest level of its items, whose fee and time to pay it has."""
    name: LevelName
    """What people call that level."""
    items: Annotated[list[DunnedItem], Field(min_length=1, max_length=NOTICE_ITEMS_MAX)]
    """What reached a level, the oldest due first."""
    others: NotNegative
    """What else is overdue, in `currency`."""
    credit: NotNegative
    """What the customer had as credit, in `currency`."""
    fee: NotNegative
    """The fee that is booked with it, in `currency`."""
    total: Paid
    """What is to be paid: the items, the others and the fee, less the credit, in `currency`."""
    pay_by: Day
    """The last day to pay it, in UTC."""
    issued_at: Instant
    """When it was issued, in UTC."""
    withdrawn_at: Instant | None = None
    """Since when it no longer counts, in UTC; null while it does."""
    withdraw_reason: Literal["mistake", "goodwill", "disputed", "paid_meanwhile"] | None = None
    """Why it was withdrawn; null for one that was not."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class DunningStopChanged(Event):
    """A customer is not dunned for a time, or is again."""

    TOPIC: ClassVar[str] = "dunning_stop.changed.v1"
    KEY: ClassVar[str] = "customer_id"

    customer_id: UUID
    """The customer."""
    reason: Literal["disputed", "promised", "hardship", "insolvency", "other"] | None
    """Why nobody is to dun; null once that has ended."""
    until: Day | None = None
    """The last day without notices; null for until it is ended."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""
