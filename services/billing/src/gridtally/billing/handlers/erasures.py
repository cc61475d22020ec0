"""Erasing a customer: what names a person is replaced or deleted everywhere in billing.

Amounts, numbers and ids stay, and so does the trail: who erased whom, when and why. Other services
follow the erased version of `customer.changed`.
"""

from datetime import datetime

from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.erasures import Erasure
from gridtally.billing.domain.merges import require_unmerged
from gridtally.billing.store import agreements, customers, documents, merges
from gridtally.billing.store import erasures as store
from gridtally.database import WriteConnection
from gridtally.http.idempotency import erase_answers
from gridtally.kernel.errors import Conflict
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging.letter_store import erase_letters


async def erase_customer(
    tx: WriteConnection, cause: Cause, current: Stored[Customer], reason: str, now: datetime
) -> Stored[Customer]:
    """Erase a locked customer, and who was merged into it; return what is left. The second time
    changes nothing.

    Conflict while an agreement is in force, or has no end: there would be invoices to nobody; and
    for one who was merged: the person is erased whole.
    """
    customer = current.resource
    if customer.erased_at is not None:
        return current
    require_unmerged(customer)
    if await agreements.has_agreement_after(tx, cause.tenant_id, customer.id, now.date()):
        raise Conflict("agreement_in_force", "an agreement of the customer has not ended yet")
    for duplicate_id in await merges.fetch_duplicates(tx, cause.tenant_id, customer.id):
        duplicate = await customers.fetch_customer(tx, cause.tenant_id, duplicate_id, lock=True)
        if duplicate is not None and duplicate.resource.erased_at is None:
            await _erase(tx, cause, duplicate.resource, reason, now)
    return await _erase(tx, cause, customer, reason, now)


async def _erase(
    tx: WriteConnection, cause: Cause, customer: Customer, reason: str, now: datetime
) -> Stored[Customer]:
    erased = await customers.update_customer(tx, cause.tenant_id, customer.erased(now), now)
    await documents.delete_documents_of(tx, cause.tenant_id, customer.id)
    await erase_answers(tx, cause.tenant_id, customer.id)
    await erase_letters(tx, cause.tenant_id, customer.id, now)
    await store.delete_unsent(tx, cause.tenant_id, customer.id)
    done = Erasure(customer.id, now, cause.key_id, reason, cause.correlation_id)
    await store.insert_erasure(tx, cause.tenant_id, done)
    return erased
