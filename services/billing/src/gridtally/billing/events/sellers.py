"""`seller.changed`."""

import base64
from dataclasses import asdict

from gridtally.billing.events.json_form import SOURCE
from gridtally.contracts.sellers import SellerChanged
from gridtally.documents.facts import Seller
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Stored
from gridtally.messaging import OutgoingMessage


def seller_changed(tenant_id: str, stored: Stored[Seller]) -> OutgoingMessage:
    """A version of the letterhead, which is in force since it was stored."""
    seller = stored.resource
    lists = {
        "texts": [asdict(texts) | {"language": name} for name, texts in seller.texts.items()],
        "component_names": [
            {"component_id": component_id, "language": language, "name": name}
            for component_id, names in seller.component_names.items()
            for language, name in names.items()
        ],
        "logo": None if seller.logo is None else base64.b64encode(seller.logo).decode(),
    }
    event = SellerChanged.model_validate(asdict(seller) | lists | {"version": stored.version})
    event_id = derive_id(event.TOPIC, tenant_id, stored.version)
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=stored.created_at,
    )
