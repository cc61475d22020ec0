"""Properties: metered places, which form a tree."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Property:
    """A metered place in an IANA `zone`; `parent_id` is the property right above it in the tree,
    and `customer_id` the customer whose site it is."""

    id: UUID
    name: str
    address: str
    zone: str
    region_id: UUID | None
    connected_kw: Decimal | None
    parent_id: UUID | None
    customer_id: UUID | None = None
