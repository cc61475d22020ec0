"""`/v1/payment-files`: what a bank says came in, booked as payments."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Request
from pydantic import ConfigDict

from gridtally.database import transaction
from gridtally.http.body_limits import FILE, media_type
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import EARLIEST_ON
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.domain.payment_files.bank_payments import (
    PaymentFile,
    PaymentFileError,
)
from gridtally.ledger.accounts.domain.payment_files.camt import read_camt
from gridtally.ledger.accounts.domain.payment_files.matches import NamedInvoice
from gridtally.ledger.accounts.domain.payment_files.table import read_payment_table
from gridtally.ledger.accounts.handlers import payment_files as handlers
from gridtally.ledger.callers import WriteCause

router = Router(prefix="/v1/payment-files", tags=["payments"])
CSV = "text/csv"
DAYS_AHEAD_MAX = 1
"""It is tomorrow already where the bank is."""


class InvoiceOfPayment(AnswerModel):
    """An invoice that a payment names, or may be for."""

    invoice_id: UUID
    customer_id: UUID
    number: str
    open: Money
    """What was open of it before the payment, with the sign of the total."""

    @classmethod
    def of(cls, invoice: NamedInvoice) -> Self:
        """The invoice as the API shows it."""
        return cls(
            invoice_id=invoice.id,
            customer_id=invoice.customer_id,
            number=invoice.number,
            open=invoice.open,
        )


class PaymentOfFile(InCurrency):
    """A payment of the file, and what became of it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    entry: int
    """The number of its entry in the file, from 1; of a table, the number of its row."""
    payment_id: UUID
    """The transaction that books it; an unmatched payment is listed under the same id."""
    booked_on: date
    """The day on which the bank booked it."""
    amount: Money
    payer: str
    """Who paid, as the bank says."""
    reference: str
    """What the payer wrote."""
    state: handlers.State
    """`matched`: the customer's, whose invoices it names. `unmatched`: booked for nobody until a
    person assigns it. `present`: booked before, by this or another file."""
    customer_id: UUID | None
    """Whose it is, where it is matched."""
    invoices: list[InvoiceOfPayment]
    """Matched: the invoices that it names. Unmatched: those that it may be for, at most five."""

    @classmethod
    def of(cls, booked: handlers.BookedPayment) -> Self:
        """The payment as the API shows it."""
        payment = booked.payment
        return cls(
            entry=payment.entry,
            payment_id=booked.id,
            booked_on=payment.booked_on,
            currency=payment.currency,
            amount=payment.amount,
            payer=payment.payer,
            reference=payment.text,
            state=booked.state,
            customer_id=booked.customer_id,
            invoices=[InvoiceOfPayment.of(invoice) for invoice in booked.invoices],
        )


class ReturnOfFile(AnswerModel):
    """A direct debit that the bank took back, and what became of its payment."""

    entry: int
    """The number of its entry in the file, from 1."""
    debit_id: UUID
    """The debit."""
    booked_on: date
    """The day on which the bank took the money back."""
    reason: str
    """The bank's code for why."""
    state: handlers.ReturnState
    """`returned`: its payment was reversed. `present`: it had been before. `unknown`: no debit is
    called so, or its invoice was paid by what no file calls the debit's: nothing is reversed."""
    customer_id: UUID | None
    """Whose debit it was; null where there is none that is called so."""
    invoice_id: UUID | None
    """The invoice that is open again; null where the debit is unknown."""

    @classmethod
    def of(cls, booked: handlers.BookedReturn) -> Self:
        """The debit as the API shows it."""
        invoice = booked.debit and booked.debit.invoice
        return cls(
            entry=booked.returned.entry,
            debit_id=booked.returned.debit_id,
            booked_on=booked.returned.booked_on,
            reason=booked.returned.reason,
            state=booked.state,
            customer_id=invoice.customer_id if invoice else None,
            invoice_id=invoice.id if invoice else None,
        )


class PaymentFileResult(AnswerModel):
    """What became of a file of payments."""

    matched: int
    """How many payments became customers', by an invoice's number."""
    unmatched: int
    """How many payments were booked for nobody; `GET /v1/unmatched-payments` lists them."""
    present: int
    """How many payments had been booked before."""
    passed_over: int
    """How many entries are no money that came in: debits, bookings not yet final, reversals."""
    returned: int
    """How many direct debits came back, so that their payments were reversed now."""
    payments: list[PaymentOfFile]
    """Every payment, in the order of the file."""
    returns: list[ReturnOfFile]
    """Every direct debit that came back, in the order of the file."""


_FILE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary", "description": "The file."}}
            for kind in (FILE, CSV)
        },
    }
}


@router.post("", openapi_extra=_FILE_BODY)
async def book_payment_file(
    request: Request,
    db: Db,
    cause: WriteCause,
    now: Now,
    *,
    dry_run: Annotated[
        bool, Query(description="Say what would become of it, book nothing")
    ] = False,
) -> PaymentFileResult:
    """Book the payments of a bank statement (camt.053) or a table (CSV: `booked_on`, `amount`,
    `currency`, `reference`; `payer`, `account`, `bank_reference`).

    A payment is the customer's whose invoices its text names, and pays these first; a direct debit
    pays its invoice. All others are unmatched, with suggestions. Where the bank took a direct debit
    back, its payment is reversed. A payment has an id by the bank's reference, else by all that the
    bank says of it, so the same payment is booked once, however many files have it. 422 where the
    file cannot be read: then nothing of it is booked.
    """
    if media_type(request.headers.get("content-type")) not in (FILE, CSV):
        raise HttpRefusal(415, "unsupported_media_type", f"send the file as {FILE} or {CSV}")
    file = await asyncio.to_thread(_read, await request.body(), now)
    booked: list[handlers.BookedPayment] = []
    for start in range(0, len(file.payments), handlers.BATCH_PAYMENTS):
        payments = file.payments[start : start + handlers.BATCH_PAYMENTS]
        async with transaction(db, tenant=cause.tenant_id) as tx:
            booked += await handlers.book_payments(tx, cause, payments, now, dry_run=dry_run)
    returned: list[handlers.BookedReturn] = []
    for start in range(0, len(file.returns), handlers.BATCH_RETURNS):
        returns = file.returns[start : start + handlers.BATCH_RETURNS]
        async with transaction(db, tenant=cause.tenant_id) as tx:
            returned += await handlers.book_returns(tx, cause, returns, now, dry_run=dry_run)
    states = [payment.state for payment in booked]
    return PaymentFileResult(
        matched=states.count("matched"),
        unmatched=states.count("unmatched"),
        present=states.count("present"),
        passed_over=file.passed_over,
        returned=[own.state for own in returned].count("returned"),
        returns=[ReturnOfFile.of(own) for own in returned],
        payments=[PaymentOfFile.of(payment) for payment in booked],
    )


def _read(content: bytes, now: datetime) -> PaymentFile:
    """The payments of a file; Rejected where it is none, or a day cannot be."""
    try:
        if not content:
            raise PaymentFileError("the body is empty: send the file as it is")
        is_xml = content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
        file = read_camt(content) if is_xml else read_payment_table(content)
        latest_on = now.date() + timedelta(days=DAYS_AHEAD_MAX)
        days = [(own.entry, own.booked_on) for own in file.payments]
        for entry, day in [*days, *((own.entry, own.booked_on) for own in file.returns)]:
            if not EARLIEST_ON <= day <= latest_on:
                raise PaymentFileError(f"entry {entry}: {day} is no day on which money came in")
    except PaymentFileError as wrong:
        raise Rejected("file_unreadable", str(wrong)) from None
    return file
