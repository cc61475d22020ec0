"""What the rows of a file call things, and the ids that follow.

A thing that a file makes has a `reference`, the name that it has with whoever wrote the file. Its
id follows from tenant, kind and reference, so that a file that comes again means the same things,
and another file can name them. A UUID means the thing with that id; `<property>/total` means a
meter that the property has had from the beginning.
"""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from gridtally.client import AsyncClient
from gridtally.kernel.ids import derive_id, own_meter_id

Kind = Literal["customer", "property", "meter", "agreement"]
OWN_METERS = ("gg", "sg", "total")
REFERENCE_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class References:
    """The ids of a tenant's references."""

    tenant_id: str
    client: AsyncClient
    _tariffs: dict[str, UUID] = field(default_factory=dict)

    def new_id(self, kind: Kind, reference: str) -> UUID:
        """The id of what a row makes; ValueError where nothing can be called so."""
        if len(reference) > REFERENCE_CHARS_MAX:
            raise ValueError(f"reference has more than {REFERENCE_CHARS_MAX} characters")
        if _uuid(reference) is not None or _own_meter(reference) is not None:
            raise ValueError(f"reference {reference!r} is the name of something that is there")
        return derive_id("imported", self.tenant_id, kind, reference)

    def id_of(self, kind: Kind, reference: str) -> UUID:
        """The id of what a row names; ValueError where nothing can be called so."""
        if (named := _uuid(reference)) is not None:
            return named
        if kind == "meter" and (own := _own_meter(reference)) is not None:
            property_reference, meter_type = own
            property_id = self.id_of("property", property_reference)
            return own_meter_id(self.tenant_id, property_id, meter_type)
        return self.new_id(kind, reference)

    async def tariff_id(self, code: str) -> UUID:
        """The id of a tariff by its code or id; ValueError where there is no such tariff."""
        if (named := _uuid(code)) is not None:
            return named
        if code not in self._tariffs:
            async for tariff in self.client.tariff.list_tariffs(code=code):
                self._tariffs[code] = tariff.id
            if code not in self._tariffs:
                raise ValueError(f"there is no tariff {code!r}")
        return self._tariffs[code]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == len(str(UUID(int=0))) else None
    except ValueError:
        return None


def _own_meter(reference: str) -> tuple[str, str] | None:
    """The property and the type that `<property>/total` says."""
    property_reference, slash, meter_type = reference.rpartition("/")
    if slash and property_reference and meter_type in OWN_METERS:
        return property_reference, meter_type
    return None
