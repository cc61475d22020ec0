"""`/v1/dunning-rules`: by which levels customers are dunned; `/v1/customers/{id}/dunning-stop`: who
is not."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from gridtally.contracts.accounts import CURRENCIES_MAX
from gridtally.contracts.model import READ_EXACTLY, Currency
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.resources import Body
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.api.payments import POSTED_MAX
from gridtally.ledger.accounts.domain import dunning as domain
from gridtally.ledger.accounts.domain.dunning import (
    DAYS_MAX,
    LEVELS_MAX,
    DunningStop,
    StopReason,
)
from gridtally.ledger.accounts.domain.transactions import AMOUNT_DECIMALS
from gridtally.ledger.accounts.handlers import dunning_rules as handlers
from gridtally.ledger.accounts.store import dunning_rules
from gridtally.ledger.callers import Reader, WriteCause

router = Router(prefix="/v1", tags=["dunning"])
NAME = "What people call it, and its fee in statements"
AFTER_DAYS = (
    "How many days after an invoice was due, for the first level; for each later one after the day "
    "to which the notice before gave time"
)
DAYS_TO_PAY = "How many days a notice gives to pay it"
FEES = "What a notice costs, by currency; in a currency that is not there, nothing"
MINIMUMS = (
    "By currency the least that is overdue, beyond credit and without fees, of a customer who is "
    "dunned"
)

RUNS_DAILY = (
    "Whether a run begins by itself as each day begins in UTC; else customers are dunned when "
    "`POST /v1/dunning-runs` asks for it"
)


class NewCurrencyAmount(Body):
    """An amount in a currency."""

    currency: Currency
    amount: Annotated[
        Decimal,
        Field(
            ge=0, lt=POSTED_MAX, decimal_places=AMOUNT_DECIMALS, allow_inf_nan=False,
            description="Zero or above, in `currency`; a decimal string",
        ),
        READ_EXACTLY,
    ]  # fmt: skip


Amounts = Annotated[list[NewCurrencyAmount], Field(max_length=CURRENCIES_MAX)]


def _one_each(amounts: list[NewCurrencyAmount]) -> list[NewCurrencyAmount]:
    if len({own.currency for own in amounts}) < len(amounts):
        raise ValueError("must name each currency once")
    return amounts


def _by_currency(amounts: list[NewCurrencyAmount]) -> dict[str, Decimal]:
    return {own.currency: own.amount for own in amounts if own.amount}


class NewDunningLevel(Body):
    """A level that customers are dunned at."""

    name: Annotated[str, Field(min_length=1, max_length=100, description=NAME)]
    after_days: Annotated[int, Field(ge=1, le=DAYS_MAX, description=AFTER_DAYS)]
    days_to_pay: Annotated[int, Field(ge=0, le=DAYS_MAX, description=DAYS_TO_PAY)]
    fees: Annotated[Amounts, Field(default_factory=list, description=FEES)]

    _check_fees = field_validator("fees")(_one_each)


class NewDunningRules(Body):
    """All levels in their order, from now on; without any, nobody is dunned."""

    levels: Annotated[
        list[NewDunningLevel], Field(max_length=LEVELS_MAX, description="In their order")
    ]
    minimums: Annotated[Amounts, Field(default_factory=list, description=MINIMUMS)]

    runs_daily: Annotated[bool, Field(description=RUNS_DAILY)] = False

    _check_minimums = field_validator("minimums")(_one_each)

    def to_domain(self) -> domain.DunningRules:
        """The rules that are asked for."""
        levels = (
            domain.DunningLevel(own.name, own.after_days, own.days_to_pay, _by_currency(own.fees))
            for own in self.levels
        )
        return domain.DunningRules(
            tuple(levels), _by_currency(self.minimums), runs_daily=self.runs_daily
        )


class CurrencyAmount(InCurrency):
    """An amount in a currency."""

    amount: Annotated[Money, Field(description="In `currency`")]


class DunningLevel(BaseModel):
    """A level that customers are dunned at."""

    name: Annotated[str, Field(description=NAME)]
    after_days: Annotated[int, Field(description=AFTER_DAYS)]
    days_to_pay: Annotated[int, Field(description=DAYS_TO_PAY)]
    fees: Annotated[list[CurrencyAmount], Field(description=FEES)]


class DunningRules(BaseModel):
    """By which levels a tenant's customers are dunned; nobody is where there are none."""

    levels: Annotated[list[DunningLevel], Field(description="In their order")]
    minimums: Annotated[list[CurrencyAmount], Field(description=MINIMUMS)]
    runs_daily: Annotated[bool, Field(description=RUNS_DAILY)]

    @classmethod
    def of(cls, rules: domain.DunningRules) -> Self:
        """The rules as the API shows them."""
        levels = [
            DunningLevel(
                name=own.name,
                after_days=own.after_days,
                days_to_pay=own.days_to_pay,
                fees=_amounts(own.fees),
            )
            for own in rules.levels
        ]
        return cls(levels=levels, minimums=_amounts(rules.minimums), runs_daily=rules.runs_daily)


def _amounts(by_currency: Mapping[str, Decimal]) -> list[CurrencyAmount]:
    return [
        CurrencyAmount(currency=currency, amount=amount)
        for currency, amount in sorted(by_currency.items())
    ]


@router.get("/dunning-rules")
async def get_dunning_rules(db: Db, caller: Reader) -> DunningRules:
    """The tenant's levels, and the least that anybody is dunned for."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        return DunningRules.of(await dunning_rules.fetch_rules(read, caller.tenant_id))


@router.put("/dunning-rules")
async def put_dunning_rules(body: NewDunningRules, db: Db, cause: WriteCause) -> DunningRules:
    """Set all of them. Notices that were issued stay as they are, and what has reached a level goes
    on with the next one of the new rules."""
    wanted = body.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.change_rules(tx, cause, wanted)
    return DunningRules.of(wanted)


class NewDunningStop(Body):
    """For how long, and why, a customer gets no notices."""

    reason: Annotated[
        StopReason,
        Field(
            description="Why: the debt is disputed, its payment is promised, it would be a "
            "hardship, the customer is insolvent, or something else"
        ),
    ]
    until: Annotated[
        date | None,
        Field(description="The last day, in UTC, without notices; until it is ended if left out"),
    ] = None


class CustomerDunningStop(BaseModel):
    """A customer gets no notices for a time."""

    customer_id: UUID
    reason: Annotated[StopReason, Field(description="Why")]
    until: Annotated[
        date | None,
        Field(description="The last day, in UTC, without notices; null for no such day"),
    ]

    @classmethod
    def of(cls, stop: DunningStop) -> Self:
        """The stop as the API shows it."""
        return cls(customer_id=stop.customer_id, reason=stop.reason, until=stop.until)


@router.get("/customers/{customer_id}/dunning-stop")
async def get_dunning_stop(customer_id: UUID, db: Db, caller: Reader) -> CustomerDunningStop:
    """The customer's stop, also once its last day has passed. 404 where there is none."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stop = await dunning_rules.fetch_stop(read, caller.tenant_id, customer_id)
    if stop is None:
        raise NotFound("dunning_stop_unknown", "dunning of this customer is not stopped")
    return CustomerDunningStop.of(stop)


@router.put("/customers/{customer_id}/dunning-stop")
async def put_dunning_stop(
    customer_id: UUID, body: NewDunningStop, db: Db, cause: WriteCause, now: Now
) -> CustomerDunningStop:
    """Have the customer get no notices, from now on. Those that were issued stay, and so do their
    fees; what is overdue stays overdue."""
    stop = DunningStop(customer_id, body.reason, body.until)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.stop(tx, cause, stop, now)
    return CustomerDunningStop.of(stop)


@router.delete("/customers/{customer_id}/dunning-stop", status_code=204)
async def delete_dunning_stop(customer_id: UUID, db: Db, cause: WriteCause, now: Now) -> None:
    """Have the customer get notices again. 404 where there is no stop."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.end_stop(tx, cause, customer_id, now)
