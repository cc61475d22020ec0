"""Contracts on one side, the domain's values on the other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import ValidationError

from contracts.commerce import TariffPublished
from contracts.tariff import TariffDocument
from kernel.errors import Fault, Rejected
from kernel.ids import new_id
from messaging import Outgoing
from tariff.domain.catalogue import Document, Tariff, Version

SOURCE = "tariff"


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose behalf something changes, and the id that follows it through every service."""

    tenant_id: str
    correlation_id: str


def tariff_published(
    tariff: Tariff, version: Version, status: Literal["published", "withdrawn"], cause: Cause,
    at: datetime,
) -> Outgoing:  # fmt: skip
    """A version as it is now, with its tariff's name and region at this moment."""
    event = TariffPublished(
        tariff_id=tariff.id,
        version_id=version.id,
        number=version.number,
        code=tariff.code,
        name=tariff.name,
        region_id=tariff.region_id,
        status=status,
        effective_from=version.terms.effective_from,
        effective_to=version.terms.effective_to,
        document=dict(version.terms.document),
    )
    return Outgoing.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=new_id(),
        occurred_at=at,
    )


def check_shape(document: Document) -> None:
    """Rejected unless the document is of the published schema; what it means is the domain's."""
    try:
        TariffDocument.model_validate(document)
    except ValidationError as invalid:
        faults = tuple(
            Fault(_pointer(document, error["loc"]), error["msg"])
            for error in invalid.errors(include_url=False, include_input=False)
        )
        raise Rejected("invalid_tariff", "the document is not a tariff", faults) from None


def _pointer(document: object, places: tuple[int | str, ...]) -> str:
    """The JSON pointer of a fault, without the names of kinds that pydantic puts between."""
    pointer, node = "/document", document
    for number, place in enumerate(places):
        if isinstance(node, list) and isinstance(place, int):
            node = node[place]
        elif isinstance(node, dict) and (place in node or number == len(places) - 1):
            node = node.get(place)
        else:
            continue
        pointer += f"/{place}"
    return pointer
