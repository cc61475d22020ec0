"""Erasing a customer: what names a person is replaced or deleted everywhere in billing.

Amounts, numbers and ids stay, and so does the trail: who erased whom, when and why. Other services
follow the erased version of `customer.changed`.
"""

from datetime import datetime

from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.erasures import Erasure
from gridtally.billing.store import agreements, customers, documents
from gridtally.billing.store import erasures as store
from gridtally.database import WriteConnection
from gridtally.http.idempotency import erase_answers
from gridtally.kernel.errors import Conflict
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging.letter_store import erase_letters


async def erase_customer(
    tx: WriteConnection, cause: Cause, current: Stored[Customer], reason: str, now: datetime
) -> Stored[Customer]:
    """Erase a locked customer; return what is left. The second time changes nothing.

    Conflict while an agreement is in force, or has no end: there would be invoices to nobody.
    """
    customer = current.resource
    if customer.erased_at is not None:
        return current
    if await agreements.has_agreement_after(tx, cause.tenant_id, customer.id, now.date()):
        raise Conflict("agreement_in_force", "an agreement of the customer has not ended yet")
    erased = await customers.update_customer(tx, cause.tenant_id, customer.erased(now), now)
    await documents.delete_documents_of(tx, cause.tenant_id, customer.id)
    await erase_answers(tx, cause.tenant_id, customer.id)
    await erase_letters(tx, cause.tenant_id, customer.id, now)
    await store.delete_unsent(tx, cause.tenant_id, customer.id)
    done = Erasure(customer.id, now, cause.key_id, reason, cause.correlation_id)
    await store.insert_erasure(tx, cause.tenant_id, done)
    return erased
