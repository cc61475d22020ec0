"""`/v1/direct-debits`: what is due, collected from the accounts of customers with a mandate."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from gridtally.database import ReadConnection, snapshot, transaction
from gridtally.http.context import Db, Exports, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel, Body
from gridtally.http.sorting import SortedPage
from gridtally.kernel.errors import Conflict
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.domain.direct_debits import (
    CURRENCY,
    DEBITS_MAX,
    Batch,
    DebitPosition,
    DebitState,
)
from gridtally.ledger.accounts.domain.mandates import Scheme, masked
from gridtally.ledger.accounts.domain.mandates import Sequence as MandateSequence
from gridtally.ledger.accounts.domain.open_items import OpenItemKind
from gridtally.ledger.accounts.domain.pain import pain_file
from gridtally.ledger.accounts.domain.transactions import sum_of
from gridtally.ledger.accounts.handlers import direct_debits as handlers
from gridtally.ledger.accounts.handlers.direct_debits import MadeBatch, RequestedBatch
from gridtally.ledger.accounts.store import direct_debits
from gridtally.ledger.accounts.store.direct_debits import BatchPosition
from gridtally.ledger.callers import Reader, WriteCause, Writer

router = Router(prefix="/v1/direct-debits", tags=["payments"])
BatchId = Annotated[UUID, Path(description="The batch of direct debits")]
XML = "application/xml"
GONE = 410


class NewDirectDebits(Body):
    """What is to be collected, and when."""

    due_through: date
    """The last due day, in UTC, of the invoices and charges that are collected."""
    collection_on: date
    """The day on which the bank is to collect: after the days of lead, within 90 days."""
    returned_too: bool = False
    """Collect again what came back from the bank before."""
    dry_run: bool = False
    """Say what would be collected, and store nothing."""


class DirectDebitBatch(InCurrency):
    """Direct debits that are collected together."""

    id: Annotated[UUID | None, Field(description="The batch; null where none was made")]
    state: Annotated[
        Literal["open", "cancelled"] | None,
        Field(description="Whether it is to be collected; null where none was made"),
    ]
    due_through: Annotated[date, Field(description="The last due day of its items, in UTC")]
    collection_on: Annotated[date, Field(description="When the bank collects it")]
    created_at: Annotated[datetime, Field(description="When it was made, UTC")]
    cancelled_at: Annotated[
        datetime | None, Field(description="Since when it is not to be collected, UTC")
    ]
    count: Annotated[int, Field(description="How many debits it has")]
    total: Annotated[Money, Field(description="What they come to")]
    collected: Annotated[int, Field(description="How many came in, also of those that went back")]

    @classmethod
    def of(cls, position: BatchPosition, **others: object) -> Self:
        """The batch as the API shows it, with the fields of a wider model."""
        batch = position.batch
        fields = {
            "currency": CURRENCY, "id": batch.id,
            "state": "open" if batch.cancelled_at is None else "cancelled",
            "due_through": batch.due_through, "collection_on": batch.collection_on,
            "created_at": batch.created_at, "cancelled_at": batch.cancelled_at,
            "count": position.count, "total": position.total, "collected": position.collected,
        }  # fmt: skip
        return cls.model_validate(fields | others)


class DirectDebit(AnswerModel):
    """What is collected of an invoice or charge, and what came of it."""

    id: UUID
    """The debit; the payment by which it comes in has the same id."""
    end_to_end_id: str
    """What it is called from end to end, by all banks."""
    invoice_id: UUID
    """The invoice or charge that is collected."""
    kind: OpenItemKind | None
    """Which of the two it is: an `invoice` of billing, or a `charge` of the ledger's own; null
    while a restored ledger has not read of it again."""
    customer_id: UUID
    """Who owes it."""
    number: str
    """What people call the invoice."""
    amount: Money
    """How much is collected, in the batch's currency."""
    mandate_id: str
    """By which mandate."""
    sequence: MandateSequence
    """Whether it is the first debit by the mandate, a later one, or the only one."""
    scheme: Scheme
    """By which rules of SEPA."""
    masked_iban: str | None
    """The account that is debited, without its middle; null once the customer is erased."""
    state: DebitState
    """`open`: no bank statement has named it. `collected`, `returned`: one has. `cancelled`: with
    its batch."""
    payment_id: UUID | None
    """The transaction of its payment; null until it came in."""
    return_reason: str | None
    """The bank's code for why it came back; null for one that did not."""

    @classmethod
    def of(cls, position: DebitPosition, batch: Batch) -> Self:
        """The debit as the API shows it."""
        debit = position.debit
        return cls(
            id=debit.id,
            end_to_end_id=debit.end_to_end_id,
            invoice_id=debit.item_id,
            kind=position.kind,
            customer_id=debit.customer_id,
            number=debit.number,
            amount=debit.amount,
            mandate_id=debit.mandate_id,
            sequence=debit.sequence,
            scheme=debit.scheme,
            masked_iban=masked(debit.iban) if debit.iban else None,
            state=position.state(batch),
            payment_id=position.payment_id,
            return_reason=position.return_reason,
        )


class DirectDebits(DirectDebitBatch):
    """A batch with its debits."""

    more: Annotated[
        bool, Field(description=f"Whether more is due than the {DEBITS_MAX} debits of a batch: "
                                "then ask for another one")
    ] = False  # fmt: skip
    debits: Annotated[list[DirectDebit], Field(description="By the numbers of their invoices")]

    @classmethod
    def showing(cls, position: BatchPosition, debits: Sequence[DebitPosition]) -> Self:
        """A batch as the API shows it, with its debits."""
        shown = [DirectDebit.of(own, position.batch) for own in debits]
        return cls.of(position, debits=shown)

    @classmethod
    def tried(cls, made: MadeBatch) -> Self:
        """What would be collected."""
        total = sum_of(debit.amount for debit in made.debits)
        positions = [
            DebitPosition(own, None, None, None, made.kinds[own.item_id]) for own in made.debits
        ]
        shown = [DirectDebit.of(own, made.batch) for own in positions]
        position = BatchPosition(made.batch, 1, len(shown), total, 0)
        return cls.of(position, id=None, state=None, debits=shown, more=made.more)


@router.post("", status_code=201, response_model=DirectDebits)
async def make_direct_debits(
    body: NewDirectDebits, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Collect what is due of customers with a mandate in force, in euros, the oldest first: a debit
    for what is open of each invoice or charge.

    Left out is what another debit may still bring, what came back, and what is in a payment plan,
    until that is cancelled. Where nothing is due, no batch is made and its id is null.
    """
    wanted = RequestedBatch(body.due_through, body.collection_on, body.returned_too)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        made = await handlers.make_batch(tx, cause, wanted, now, dry_run=body.dry_run)
        if body.dry_run or not made.debits:
            tried = DirectDebits.tried(made)
            return await request.store_answer(tx, 200, tried)
        shown = await _shown(tx, cause.tenant_id, made.batch.id)
        location = {"Location": f"/v1/direct-debits/{made.batch.id}"}
        more = {"more": made.more}
        return await request.store_answer(tx, 201, shown.model_copy(update=more), location)


@router.get("")
async def list_direct_debits(
    db: Db,
    caller: Reader,
    paging: Paging,
    sort: Literal["created_at", "-created_at"] = "created_at",
) -> Page[DirectDebitBatch]:
    """Batches, the oldest first unless sorted otherwise, without their debits."""
    position = SortedPage(paging, sort).position()
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await direct_debits.list_batches(read, caller.tenant_id, position)
    return paging.cut(
        rows,
        item=DirectDebitBatch.of,
        position=lambda own: (sort, own.batch.created_at, own.batch.id),
    )


@router.get("/{batch_id}")
async def get_direct_debits(batch_id: BatchId, db: Db, caller: Reader) -> DirectDebits:
    """One batch, with what the bank's statements have said of each debit."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        return await _shown(read, caller.tenant_id, batch_id)


@router.get(
    "/{batch_id}/file",
    response_class=Response,
    responses={200: {"content": {XML: {"schema": {"type": "string"}}}}},
)
async def get_direct_debit_file(
    batch_id: BatchId, db: Db, caller: Writer, exports: Exports
) -> StreamingResponse:
    """The file for the bank: pain.008.001.08, the same bytes for ever. 410 once somebody in it is
    erased, 409 of a batch that is cancelled.

    It has whole account numbers, so it takes a key that may write.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        batch = (await handlers.fetch_batch(read, caller.tenant_id, batch_id)).batch
        positions = await direct_debits.fetch_positions(read, caller.tenant_id, batch_id)
    if batch.cancelled_at is not None:
        raise Conflict("direct_debits_ended", "the batch is cancelled")
    if any(position.debit.iban is None for position in positions):
        raise HttpRefusal(GONE, "erased", "somebody whom the file names was erased since")
    pieces = pain_file(batch, [position.debit for position in positions])
    return await exports.stream(
        caller.tenant_id, _sent(pieces), XML, filename=f"direct-debits-{batch_id}.xml"
    )


@router.post("/{batch_id}/cancel", response_model=DirectDebits)
async def cancel_direct_debits(
    batch_id: BatchId, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Have a batch not collected, so that its items may be in another one. 409 from the day of its
    collection on: the bank may have begun."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.cancel_batch(tx, cause, batch_id, now)
        return await request.store_answer(tx, 200, await _shown(tx, cause.tenant_id, batch_id))


async def _shown(read: ReadConnection, tenant_id: str, batch_id: UUID) -> DirectDebits:
    position = await handlers.fetch_batch(read, tenant_id, batch_id)
    debits = await direct_debits.fetch_positions(read, tenant_id, batch_id)
    return DirectDebits.showing(position, debits)


async def _sent(pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece
