"""The tenant's letterhead is changed."""

from datetime import datetime

from gridtally.billing.store import seller as store
from gridtally.database import WriteConnection
from gridtally.documents.facts import Seller
from gridtally.documents.pdf import check_logo
from gridtally.documents.renderer import in_renderer
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.resources import Stored


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

    Conflict where another change came first.
    """
    if current is not None and current.resource == new:
        return current
    version = 1 if current is None else current.version + 1
    if not await store.insert_seller(tx, tenant_id, new, version, now):
        raise Conflict("seller_moved", "the seller was changed just now; read it again")
    return Stored(new, version, now, now)
