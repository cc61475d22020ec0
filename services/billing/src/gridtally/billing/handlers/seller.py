"""The tenant's letterhead is changed, published, and after a restore adopted."""

from collections.abc import Sequence
from datetime import datetime

from gridtally.billing.events.sellers import seller_changed
from gridtally.billing.store import seller as store
from gridtally.contracts.sellers import SELLER_BYTES_MAX, SellerChanged
from gridtally.database import WriteConnection
from gridtally.documents.facts import Seller
from gridtally.documents.pdf import check_logo
from gridtally.documents.published_sellers import published_seller
from gridtally.documents.renderer import in_renderer
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.resources import Stored
from gridtally.messaging import OutgoingMessage, ReceivedMessage, enqueue

SELLERS_MAX = 20
"""So many letterheads, of 300 kB at most, are published at once."""


async def check_seller(seller: Seller) -> None:
    """Rejected where the logo cannot be drawn."""
    logo = seller.logo
    if logo is None:
        return
    try:
        await in_renderer(lambda: check_logo(logo))
    except ValueError as invalid:
        fault = Fault("/logo", str(invalid))
        raise Rejected("invalid_logo", str(invalid), (fault,)) from None


async def replace_seller(
    tx: WriteConnection, tenant_id: str, current: Stored[Seller] | None, new: Seller, now: datetime
) -> Stored[Seller]:
    """The letterhead as it is from now on; the same once more makes no version.

    Conflict where another change came first, Rejected where it is larger than can be published.
    """
    if current is not None and current.resource == new:
        return current
    version = 1 if current is None else current.version + 1
    stored = Stored(new, version, now, now)
    if not _fits(seller_changed(tenant_id, stored)):
        raise Rejected(
            "seller_too_large", f"a letterhead has at most {SELLER_BYTES_MAX} bytes with its names"
        )
    if not await store.insert_seller(tx, tenant_id, new, version, now):
        raise Conflict("seller_moved", "the seller was changed just now; read it again")
    return stored


def _fits(message: OutgoingMessage) -> bool:
    return message.value is not None and len(message.value) <= SELLER_BYTES_MAX


async def publish_sellers(tx: WriteConnection, _now: datetime) -> int:
    """Put seller.changed into the outbox for up to `SELLERS_MAX` versions that were not published
    yet. Returns how many that were.

    One that is too large, of before there was a limit, is passed over: no broker would take it.
    """
    unpublished = await store.fetch_unpublished(tx, SELLERS_MAX)
    if unpublished:
        messages = [seller_changed(*seller) for seller in unpublished]
        await enqueue(tx, list(filter(_fits, messages)))
        await store.upsert_published(
            tx, {tenant_id: seller.version for tenant_id, seller in unpublished}
        )
    return len(unpublished)


async def adopt_published_sellers(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[SellerChanged]]
) -> Sequence[ReceivedMessage[SellerChanged]]:
    """After a restore: the versions of letterheads that were published, of the same instants."""
    versions: dict[str, int] = {}
    for message in messages:
        tenant_id, event = message.envelope.tenant_id, message.event
        if event is not None:
            seller = published_seller(event.model_dump())
            at = message.envelope.occurred_at
            await store.insert_seller(tx, tenant_id, seller, event.version, at)
            versions[tenant_id] = max(event.version, versions.get(tenant_id, 0))
    await store.upsert_published(tx, versions)
    return []
