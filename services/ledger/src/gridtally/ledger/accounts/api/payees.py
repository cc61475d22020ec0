"""`/v1/payees`: whom lines of invoices name, what each is owed and was paid, and settling it."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body
from gridtally.http.windows import OptionalUtcFrom, OptionalUtcTo, known_instant_of
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.ledger.accounts.api.models import ByDate, CurrencyCode, InCurrency, Moment, Money
from gridtally.ledger.accounts.api.payments import Amount, Reference, answer_posted, value_date
from gridtally.ledger.accounts.api.statements import StatementEntry, csv_of
from gridtally.ledger.accounts.api.transactions import Transaction
from gridtally.ledger.accounts.domain.chart import payee_of
from gridtally.ledger.accounts.domain.payees import Settlement
from gridtally.ledger.accounts.domain.statements import balances_after
from gridtally.ledger.accounts.handlers import payees as handlers
from gridtally.ledger.accounts.store import payees as store
from gridtally.ledger.accounts.store.accounts import DateBasis
from gridtally.ledger.accounts.store.payees import PayeeTotals, Window
from gridtally.ledger.accounts.store.statements import STATEMENT_ENTRIES_MAX
from gridtally.ledger.callers import Reader, WriteCause

router = Router(prefix="/v1/payees", tags=["payees"])
PAYEE = "Who is owed, as lines of invoices name them; null for taxes that name nobody"


class Payee(InCurrency):
    """What a payee is owed in a currency. Of the time that is asked for: `owed` is what lines of
    invoices, less those of credit notes, name the payee for, and `settled` what was paid, less what
    was reversed of that; `balance` is `opening` and `owed` less `settled`. Below zero the payee was
    paid in advance, or has something to give back."""

    id: UUID
    payee: Annotated[str | None, Field(description=PAYEE)]
    account_code: str
    opening: Money
    owed: Money
    settled: Money
    balance: Money

    @classmethod
    def of(cls, totals: PayeeTotals) -> Self:
        """The payee as the API shows it."""
        return cls(
            id=totals.id,
            payee=payee_of(totals.account),
            currency=totals.account.currency,
            account_code=totals.account.code,
            opening=totals.opening,
            owed=totals.owed,
            settled=totals.settled,
            balance=totals.balance,
        )


class PayeeStatement(Payee):
    """What a payee was owed at `opening`, and each invoice, credit note, settlement and reversal
    that changed it, with what was owed after it."""

    from_at: datetime | None
    to_at: datetime | None
    entries: list[StatementEntry]


class NewSettlement(Body):
    """Money that was paid to the payee. More than is owed is refused, unless it is said to be
    `in_advance`."""

    id: UUID = Field(default_factory=new_id)
    amount: Amount
    reference: Reference = ""
    memo: Annotated[str, Field(max_length=500, description="A reason or method, for people")] = ""
    occurred_at: Moment | None = Field(
        default=None, description="The date of value; now where it is left out"
    )
    in_advance: bool = Field(default=False, description="Whether it may be more than is owed")


@router.get("")
async def list_payees(
    db: Db,
    caller: Reader,
    paging: Paging,
    from_at: OptionalUtcFrom = None,
    to_at: OptionalUtcTo = None,
    by: ByDate = "value",
    payee: Annotated[
        str | None, Query(max_length=100, pattern=r"^[^\x00]+$", description=PAYEE)
    ] = None,
    currency: CurrencyCode | None = None,
) -> Page[Payee]:
    """Who is owed what, by currency and name: what came and was paid in a period, and the rest.

    Without `from` it is counted from the beginning, without `to` until now.
    """
    window = _window(from_at, to_at, by)
    after = paging.after(str, str)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        payees = await store.list_payees(
            read,
            caller.tenant_id,
            window,
            store.named(payee, currency),
            (after[0], after[1]) if after else None,
            paging.rows,
        )
    return paging.cut(
        payees,
        item=Payee.of,
        position=lambda totals: (totals.account.currency, totals.account.code),
    )


@router.get(
    "/{payee_id}/statement",
    response_model=PayeeStatement,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def get_payee_statement(
    payee_id: UUID,
    db: Db,
    caller: Reader,
    from_at: OptionalUtcFrom = None,
    to_at: OptionalUtcTo = None,
    by: ByDate = "value",
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> PayeeStatement | Response:
    """What a payee is owed, by invoice, and what was paid of it, as JSON or CSV.

    Without `from` it is counted from the beginning, without `to` until now.
    """
    window = _window(from_at, to_at, by)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        totals = await store.fetch_totals(read, caller.tenant_id, payee_id, window)
        if totals is None:
            raise _unknown()
        changes = await store.fetch_changes(read, caller.tenant_id, payee_id, window)
    if len(changes) > STATEMENT_ENTRIES_MAX:
        detail = f"a statement has at most {STATEMENT_ENTRIES_MAX} entries; ask for less time"
        raise Rejected("window_too_wide", detail)
    entries = list(map(StatementEntry.of, changes, balances_after(totals.opening, changes)))
    statement = PayeeStatement(
        **dict(Payee.of(totals)), from_at=window.from_at, to_at=window.to_at, entries=entries
    )
    if form == "csv":
        name = f"payee-{payee_id}-{statement.currency}.csv"
        return csv_of(statement.entries, statement.currency, name)
    return statement


@router.post("/{payee_id}/settlements", status_code=201, response_model=Transaction)
async def settle_payee(
    payee_id: UUID,
    body: NewSettlement,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
) -> Response:
    """Post money paid to a payee; 422 beyond what is owed. `/v1/transactions/{id}/reversal` undoes
    it."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        payee = await store.fetch_payee(tx, cause.tenant_id, payee_id)
        if payee is None:
            raise _unknown()
        settlement = Settlement(
            id=body.id,
            tenant_id=cause.tenant_id,
            payee=payee,
            amount=body.amount,
            reference=body.reference,
            memo=body.memo,
            occurred_at=value_date(body.occurred_at, now),
            correlation_id=cause.correlation_id,
            is_dated=body.occurred_at is not None,
        )
        id_ = await handlers.post_settlement(tx, settlement, in_advance=body.in_advance)
        return await answer_posted(tx, cause, request, id_)


def _window(
    from_at: datetime | date | None, to_at: datetime | date | None, by: DateBasis
) -> Window:
    """The time that is asked for; Rejected where it ends before it begins."""
    from_at, to_at = known_instant_of(from_at), known_instant_of(to_at)
    if from_at is not None and to_at is not None and from_at >= to_at:
        raise Rejected("empty_window", "`from` must lie before `to`")
    return Window(from_at, to_at, by)


def _unknown() -> NotFound:
    return NotFound("payee_unknown", "no payee has this id")
