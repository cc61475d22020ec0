"""`/v1/payment-terms`: when an invoice is due that does not say it, and how credit is used."""

from dataclasses import replace
from typing import Annotated, Self

from pydantic import BaseModel, Field

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.resources import Body
from gridtally.ledger.accounts.domain.terms import CreditRule, DeallocationRule, Terms
from gridtally.ledger.accounts.handlers import terms as handlers
from gridtally.ledger.accounts.store import terms
from gridtally.ledger.callers import Reader, WriteCause

router = Router(prefix="/v1/payment-terms", tags=["payments"])
PaymentDays = Annotated[int, Field(ge=0, le=365)]


class PaymentTerms(BaseModel):
    """How many days after its issue an invoice is due that does not say so itself, and how
    customers' credit is used."""

    payment_days: PaymentDays
    credit_allocation: CreditRule
    credit_deallocation: DeallocationRule

    @classmethod
    def of(cls, stored: Terms) -> Self:
        """The terms as the API shows them."""
        return cls.model_validate(stored, from_attributes=True)


class NewPaymentTerms(Body):
    """The terms from now on. A rule for credit that is left out stays as it is."""

    payment_days: PaymentDays
    credit_allocation: CreditRule | None = None
    credit_deallocation: DeallocationRule | None = None


@router.get("")
async def get_payment_terms(db: Db, caller: Reader) -> PaymentTerms:
    """The tenant's payment terms."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        known = await terms.fetch_terms(read, [caller.tenant_id])
    return PaymentTerms.of(known[caller.tenant_id])


@router.put("")
async def put_payment_terms(body: NewPaymentTerms, db: Db, cause: WriteCause) -> PaymentTerms:
    """Change them: days for invoices that are posted from now on; where credit is to pay by itself
    from now on, it also pays what is open already, within seconds."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        known = await terms.fetch_terms(tx, [cause.tenant_id])
        wanted = body.model_dump(exclude_none=True)
        changed = replace(known[cause.tenant_id], **wanted)
        await handlers.change_terms(tx, cause, changed)
    return PaymentTerms.of(changed)
