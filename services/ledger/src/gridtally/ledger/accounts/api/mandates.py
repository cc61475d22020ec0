"""`/v1/customers/{id}/mandate`, and for whom direct debits are collected. Accounts are checked by
their own digits."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, Field

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel, Body
from gridtally.ledger.accounts.domain import mandates as domain
from gridtally.ledger.accounts.domain.bank_identifiers import (
    parse_bic,
    parse_creditor_id,
    parse_iban,
)
from gridtally.ledger.accounts.domain.direct_debits import LEAD_DAYS_DEFAULT, Creditor
from gridtally.ledger.accounts.domain.mandates import MandateState, Scheme, Sequence, masked
from gridtally.ledger.accounts.handlers import mandates as handlers
from gridtally.ledger.accounts.store import mandates
from gridtally.ledger.callers import Reader, WriteCause

router = Router(prefix="/v1", tags=["payments"])
CustomerId = Annotated[UUID, Path(description="The customer")]

SignedOn = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
"""A day of somebody's life, from which months can be counted."""
SEPA_ID_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+?/:().,'-"


def _sepa_id(text: str) -> str:
    if set(text) - set(SEPA_ID_CHARS) or text[0] == "/" or text[-1] == "/" or "//" in text:
        raise ValueError("must be of letters, digits and + ? : ( ) . , ' - with no / at its ends")
    return text


Iban = Annotated[str, Field(max_length=50), AfterValidator(parse_iban)]
"""Blanks in it are left out."""
Bic = Annotated[str, Field(max_length=20), AfterValidator(parse_bic)]
CreditorId = Annotated[str, Field(max_length=40), AfterValidator(parse_creditor_id)]
SepaId = Annotated[str, Field(min_length=1, max_length=35), AfterValidator(_sepa_id)]
HolderName = Annotated[
    str, Field(min_length=1, max_length=70, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")
]


class NewMandate(Body):
    """What a customer signed, so that invoices are collected from an account."""

    mandate_id: SepaId
    """What the mandate is called; no other of the tenant is."""
    signed_on: SignedOn
    """The day on which it was signed."""
    iban: Iban
    """The account that is debited."""
    bic: Bic | None = None
    """The bank of that account; left out, the banks find it by the IBAN."""
    holder: HolderName
    """Whose account it is, who need not be the customer."""
    sequence: Sequence = "first"
    """Whether the next debit is the first by it, a later one, or the only one."""
    scheme: Scheme = "core"
    """By which rules of SEPA; `b2b` only where the account is no consumer's."""
    last_collected_on: SignedOn | None = None
    """When it was last collected by elsewhere, before these books; null for never."""


class Mandate(AnswerModel):
    """The mandate by which a customer's invoices are collected. After 36 months without a debit it
    has lapsed."""

    customer_id: UUID
    """Whose invoices are collected by it."""
    mandate_id: str
    """What the mandate is called."""
    signed_on: date
    """The day on which it was signed."""
    masked_iban: str
    """The account that is debited, without its middle."""
    bic: str | None
    """The bank of that account; null where only the IBAN is known."""
    holder: str
    """Whose account it is."""
    sequence: Sequence
    """Whether the next debit is the first by it, a later one, or the only one."""
    scheme: Scheme
    """By which rules of SEPA."""
    state: MandateState
    """Whether it can be collected by today."""
    last_collected_on: date | None
    """When it was last collected by; null for never."""
    lapses_on: date
    """The first day on which it has lapsed, if it is not used before."""
    revoked_on: date | None
    """Since when it may not be used; null while it may."""

    @classmethod
    def of(cls, customer_id: UUID, mandate: domain.Mandate, today: date) -> Self:
        """The mandate as the API shows it."""
        return cls(
            customer_id=customer_id,
            mandate_id=mandate.mandate_id,
            signed_on=mandate.signed_on,
            masked_iban=masked(mandate.iban),
            bic=mandate.bic,
            holder=mandate.holder,
            sequence=mandate.sequence,
            scheme=mandate.scheme,
            state=mandate.state(today),
            last_collected_on=mandate.last_collected_on,
            lapses_on=mandate.lapses_on,
            revoked_on=mandate.revoked_on,
        )


class NewDirectDebitSettings(Body):
    """For whom direct debits are collected."""

    creditor_id: CreditorId
    """The creditor's identifier, as the central bank gave it."""
    name: HolderName
    """The creditor's name."""
    iban: Iban
    """The account that the money comes to."""
    bic: Bic | None = None
    """The bank of that account; left out, the bank knows it by the IBAN."""
    lead_days: Annotated[int, Field(ge=1, le=30)] = LEAD_DAYS_DEFAULT
    """How many days before its collection a batch is made at the latest."""


class DirectDebitSettings(AnswerModel):
    """For whom direct debits are collected; all but `lead_days` are null until somebody has said
    it."""

    creditor_id: str | None = None
    """The creditor's identifier."""
    name: str | None = None
    """The creditor's name."""
    iban: str | None = None
    """The account that the money comes to."""
    bic: str | None = None
    """The bank of that account; null where only the IBAN is known."""
    lead_days: int = LEAD_DAYS_DEFAULT
    """How many days before its collection a batch is made at the latest."""

    @classmethod
    def of(cls, creditor: Creditor, lead_days: int) -> Self:
        """The settings as the API shows them."""
        return cls(
            creditor_id=creditor.creditor_id,
            name=creditor.name,
            iban=creditor.iban,
            bic=creditor.bic,
            lead_days=lead_days,
        )


@router.get("/customers/{customer_id}/mandate")
async def get_mandate(customer_id: CustomerId, db: Db, caller: Reader, now: Now) -> Mandate:
    """The customer's mandate, with its account masked."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await mandates.fetch_mandate(read, caller.tenant_id, customer_id)
    if stored is None:
        raise handlers.unknown_mandate()
    return Mandate.of(customer_id, stored[0], now.date())


@router.put("/customers/{customer_id}/mandate")
async def put_mandate(
    customer_id: CustomerId, body: NewMandate, db: Db, cause: WriteCause, now: Now
) -> Mandate:
    """Collect the customer's invoices by this mandate from now on; it replaces the one before. What
    was used or revoked cannot be changed: what is signed anew has an id of its own."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        wanted = domain.Mandate(**body.model_dump())
        declared = await handlers.declare_mandate(tx, cause, customer_id, wanted, now)
    return Mandate.of(customer_id, declared, now.date())


@router.delete("/customers/{customer_id}/mandate", status_code=204)
async def revoke_mandate(customer_id: CustomerId, db: Db, cause: WriteCause, now: Now) -> None:
    """Collect nothing more by the customer's mandate, which stays to be seen. Batches that were
    made stay as they are."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.revoke_mandate(tx, cause, customer_id, now)


@router.get("/direct-debit-settings")
async def get_direct_debit_settings(db: Db, caller: Reader) -> DirectDebitSettings:
    """For whom direct debits are collected."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await mandates.fetch_settings(read, caller.tenant_id)
    return DirectDebitSettings() if stored is None else DirectDebitSettings.of(*stored[:2])


@router.put("/direct-debit-settings")
async def put_direct_debit_settings(
    body: NewDirectDebitSettings, db: Db, cause: WriteCause, now: Now
) -> DirectDebitSettings:
    """Collect for this creditor from now on; batches that were made stay as they are."""
    creditor = Creditor(body.creditor_id, body.name, body.iban, body.bic)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.declare_creditor(tx, cause, creditor, body.lead_days, now)
    return DirectDebitSettings.of(creditor, body.lead_days)
