"""`/v1/dunning-runs` and `/v1/dunning-notices`: customers are asked again for what is overdue."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from gridtally.database import snapshot, transaction
from gridtally.documents.dunning import compose_notice
from gridtally.documents.html import render_html
from gridtally.documents.pdf import render_pdf
from gridtally.documents.renderer import in_renderer
from gridtally.http.context import Db, Now
from gridtally.http.document_answers import HTML, PDF, document_response
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body
from gridtally.http.sorting import SortedPage
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.domain import dunning as domain
from gridtally.ledger.accounts.domain.dunning import NoticeState, WithdrawReason
from gridtally.ledger.accounts.domain.open_items import OpenItemKind
from gridtally.ledger.accounts.handlers import dunning as handlers
from gridtally.ledger.accounts.store import dunning
from gridtally.ledger.accounts.store.dunning import NamedItem, RunTotal, ShownNotice
from gridtally.ledger.callers import CustomerReader, Reader, WriteCause, instant, named_filters

router = Router(prefix="/v1", tags=["dunning"])
RunId = Annotated[UUID, Path(description="The dunning run")]
NoticeId = Annotated[UUID, Path(description="The notice")]
ON = "The day, in UTC, of which is asked what was due before it and is open now; today if left out"
LetterFormat = Literal["html", "pdf"]
NOTHING: Mapping[UUID, NamedItem] = MappingProxyType({})
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The letter",
        "content": {
            "text/html": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class NewDunningRun(Body):
    """All customers are looked at."""

    on: Annotated[date | None, Field(description=ON)] = None


class RunTotals(InCurrency):
    """What a run has issued in a currency, without what was withdrawn since."""

    notices: Annotated[int, Field(description="How many notices")]
    fees: Annotated[Money, Field(description="Their fees")]


class DunningRun(BaseModel):
    """A look at all customers of whom something is overdue, as far as it has come."""

    id: UUID
    on: Annotated[date, Field(description="The day of which it asks what is overdue")]
    state: Annotated[
        Literal["running", "finished"], Field(description="Whether it goes on, in the background")
    ]
    started_at: Annotated[datetime, Field(description="When it was asked for, UTC")]
    finished_at: Annotated[
        datetime | None, Field(description="When it had looked at all, UTC; null until then")
    ]
    totals: Annotated[list[RunTotals], Field(description="What it has issued, by currency")]

    @classmethod
    def of(cls, run: domain.DunningRun, totals: list[RunTotal]) -> Self:
        """The run as the API shows it."""
        return cls(
            id=run.id,
            on=run.dunned_on,
            state="running" if run.finished_at is None else "finished",
            started_at=run.started_at,
            finished_at=run.finished_at,
            totals=[RunTotals.model_validate(own, from_attributes=True) for own in totals],
        )


@router.post("/dunning-runs", status_code=201, response_model=DunningRun)
async def start_dunning_run(
    body: NewDunningRun, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Have all customers looked at, in the background: each invoice that has reached its next level
    gets there with a notice, one for each customer and currency, and its fee is booked. What was
    done by an earlier run is not done again. 409 while another run goes on."""
    run = handlers.run_of(body.on, now)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.start_run(tx, cause, run)
        location = {"Location": f"/v1/dunning-runs/{run.id}"}
        return await request.store_answer(tx, 201, DunningRun.of(run, []), location)


@router.get("/dunning-runs")
async def list_dunning_runs(db: Db, caller: Reader, paging: Paging) -> Page[DunningRun]:
    """Runs, the newest first."""
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await dunning.list_runs(
            read, caller.tenant_id, {}, (after[0], after[1]) if after else None, paging.rows
        )
        totals = await dunning.fetch_totals(read, caller.tenant_id, [run.id for run in rows])
    return paging.cut(
        rows,
        item=lambda run: DunningRun.of(run, totals.get(run.id, [])),
        position=lambda run: (run.started_at, run.id),
    )


class DunnedInvoice(BaseModel):
    """An invoice or a charge that reaches a level with a notice."""

    invoice_id: UUID
    kind: Annotated[
        OpenItemKind | None,
        Field(
            description="Whether it is an invoice of billing or a charge of the ledger's own; null "
            "in a preview, and while a restored ledger has not read of it again"
        ),
    ] = None
    number: Annotated[str | None, Field(description="What people call it; null in a preview")] = (
        None
    )
    level: Annotated[int, Field(description="The level that it reaches, the first is 1")]
    due_on: Annotated[date, Field(description="The last day, in UTC, to pay it as it was issued")]
    open: Annotated[Money, Field(description="What was open of it, and in no plan that is kept")]


class PreviewedNotice(InCurrency):
    """A notice that a customer would get; all amounts are in `currency`."""

    customer_id: UUID
    level: Annotated[int, Field(description="The highest level of its invoices")]
    name: Annotated[str, Field(description="What the rules call that level")]
    items: Annotated[
        list[DunnedInvoice], Field(description="What reaches a level with it, the oldest due first")
    ]
    others: Annotated[
        Money, Field(description="What else is overdue: at its level still, or a fee of before")
    ]
    credit: Annotated[Money, Field(description="What the customer has as credit")]
    fee: Annotated[Money, Field(description="What the notice costs")]
    total: Annotated[
        Money, Field(description="What is to be paid: invoices, others and fee, less the credit")
    ]
    pay_by: Annotated[date, Field(description="The last day to pay it, in UTC")]

    @classmethod
    def of(
        cls, notice: domain.DunningNotice, named: Mapping[UUID, NamedItem] = NOTHING, **more: Any
    ) -> Self:
        """What a notice has, with the fields of a wider model; `named` are its items by id."""
        names = (
            "customer_id", "currency", "level", "name", "others", "credit", "fee", "total",
            "pay_by",
        )  # fmt: skip
        items = [
            DunnedInvoice(
                invoice_id=item.id,
                kind=named[item.id].kind if item.id in named else None,
                number=named[item.id].number if item.id in named else None,
                level=item.level,
                due_on=item.due_on,
                open=item.open,
            )
            for item in notice.items
        ]
        return cls(items=items, **{name: getattr(notice, name) for name in names}, **more)


@router.get("/dunning-runs/preview")
async def preview_dunning_run(
    db: Db,
    caller: Reader,
    paging: Paging,
    now: Now,
    on: Annotated[date | None, Query(description=ON)] = None,
) -> Page[PreviewedNotice]:
    """The notices that a run would issue now; nothing is stored. A page has those of up to `limit`
    customers of whom something is overdue, and may have none although another page follows."""
    run = handlers.run_of(on, now)
    after = paging.after(UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        asked = await dunning.fetch_to_look_at(
            read, caller.tenant_id, run.dunned_on, after[0] if after else None, paging.rows
        )
        page = paging.cut(asked, item=lambda own: own, position=lambda own: (own,))
        notices = await handlers.notices_of(read, caller.tenant_id, page.items, run, now)
    items = [PreviewedNotice.of(notice) for notice in notices]
    return Page(items=items, next_cursor=page.next_cursor)


@router.get("/dunning-runs/{run_id}")
async def get_dunning_run(run_id: RunId, db: Db, caller: Reader) -> DunningRun:
    """One run, as far as it has come."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        runs = await dunning.list_runs(read, caller.tenant_id, {"id": run_id}, None, 1)
        totals = await dunning.fetch_totals(read, caller.tenant_id, [run_id])
    if not runs:
        raise NotFound("dunning_run_unknown", "no dunning run has this id")
    return DunningRun.of(runs[0], totals.get(run_id, []))


class DunningNotice(PreviewedNotice):
    """A customer was asked again for what is overdue; all amounts are in `currency`, as they were
    when it was issued, but for `fee_open`."""

    id: Annotated[UUID, Field(description="The notice; its fee is a charge of this id")]
    run_id: Annotated[UUID, Field(description="The run that issued it")]
    on: Annotated[date, Field(description="The day of which the run asked what was overdue")]
    state: Annotated[NoticeState, Field(description="Whether it counts")]
    fee_open: Annotated[Money, Field(description="What is still to be paid of its fee")]
    issued_at: Annotated[datetime, Field(description="When it was issued, UTC")]
    withdrawn_at: Annotated[
        datetime | None,
        Field(description="Since when it no longer counts, UTC; null while it does"),
    ]
    withdraw_reason: Annotated[
        WithdrawReason | None, Field(description="Why it was withdrawn; null while it counts")
    ]

    @classmethod
    def shown(cls, own: ShownNotice) -> Self:
        """The notice as the API shows it."""
        names = ("id", "run_id", "state", "issued_at", "withdrawn_at", "withdraw_reason")
        fields: dict[str, object] = {name: getattr(own.notice, name) for name in names}
        fields |= {"on": own.notice.dunned_on, "fee_open": max(own.fee_open, Decimal(0))}
        return cls.of(own.notice, own.named, **fields)


@router.get("/dunning-notices")
async def list_dunning_notices(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    customer_id: UUID | None = None,
    run_id: UUID | None = None,
    state: NoticeState | None = None,
    sort: Literal["issued_at", "-issued_at"] = "issued_at",
) -> Page[DunningNotice]:
    """Notices, the oldest first unless sorted otherwise."""
    filters = named_filters(customer_id=customer_id or caller.customer_id, run_id=run_id)
    position = SortedPage(paging, sort).position()
    is_withdrawn = None if state is None else state == "withdrawn"
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await dunning.list_notices(
            read, caller.tenant_id, filters, position, is_withdrawn=is_withdrawn
        )
    return paging.cut(
        rows,
        item=DunningNotice.shown,
        position=lambda own: (sort, own.notice.issued_at, own.notice.id),
    )


@router.get("/dunning-notices/{notice_id}")
async def get_dunning_notice(notice_id: NoticeId, db: Db, caller: CustomerReader) -> DunningNotice:
    """One notice."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        return DunningNotice.shown(await dunning.fetch_notice(read, caller.tenant_id, notice_id))


@router.get("/dunning-notices/{notice_id}/document", responses=_SHOWN, response_class=Response)
async def get_dunning_notice_document(
    notice_id: NoticeId,
    db: Db,
    caller: CustomerReader,
    format: LetterFormat = "pdf",  # noqa: A002
) -> Response:
    """The notice as a letter, a page or PDF/A-3, in the customer's language and with the letterhead
    of the day on which it was issued."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        facts = await handlers.notice_facts(read, caller.tenant_id, notice_id)
    draw = render_html if format == "html" else render_pdf
    content = await in_renderer(lambda: draw(compose_notice(facts)))
    media_type = HTML if format == "html" else PDF
    return document_response(content, media_type, f"{notice_id}.{format}")


class NewWithdrawal(Body):
    """Why a notice is withdrawn."""

    reason: Annotated[
        WithdrawReason,
        Field(
            description="Why: it should never have been, the fee is let go, the debt is disputed, "
            "or it was paid before the notice came"
        ),
    ]


@router.post("/dunning-notices/{notice_id}/withdraw", response_model=DunningNotice)
async def withdraw_dunning_notice(
    notice_id: NoticeId, body: NewWithdrawal, db: Db, cause: WriteCause, now: Now,
    request: Idempotent,
) -> Response:  # fmt: skip
    """Have a notice count no more: its fee is reversed, and its invoices are at the level before,
    so that they may reach this one again. 409 where it was withdrawn, or one of its invoices has
    reached another level since."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.withdraw_notice(tx, cause, notice_id, body.reason, now)
        shown = await dunning.fetch_notice(tx, cause.tenant_id, notice_id)
        return await request.store_answer(tx, 200, DunningNotice.shown(shown))
