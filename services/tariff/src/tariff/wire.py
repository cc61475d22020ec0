"""Contracts on one side, the domain's values on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from contracts.catalogue import CalendarPublished, PricesPublished
from contracts.commerce import TariffPublished
from contracts.model import Event
from contracts.tariff import Calendar as CalendarDocument
from contracts.tariff import TariffDocument
from kernel.errors import Fault, Rejected
from kernel.ids import new_id
from messaging import Outgoing
from tariff.domain.calendars import CalendarVersion
from tariff.domain.catalogue import Calendar, PriceSeries, Tariff
from tariff.domain.prices import Changed, unscaled
from tariff.domain.versions import Document, Version

SOURCE = "tariff"


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose behalf something changes, by which API key, and the id that follows it through
    every service."""

    tenant_id: str
    key_id: str
    correlation_id: str


def tariff_published(tariff: Tariff, version: Version, cause: Cause, at: datetime) -> Outgoing:
    """A version as it is now, with its tariff's name and region at this moment."""
    terms, calendar, withdrawal = version.terms, version.calendar, version.withdrawal
    never = withdrawal is not None and withdrawal.from_on == terms.effective_from
    event = TariffPublished(
        tariff_id=tariff.id,
        version_id=version.id,
        number=version.number,
        code=tariff.code,
        name=tariff.name,
        region_id=tariff.region_id,
        status="withdrawn" if never else "published",
        effective_from=terms.effective_from,
        effective_to=terms.effective_to if never else version.in_force_to,
        document=dict(terms.document),
        calendar_id=calendar.id if calendar else None,
        calendar_number=calendar.number if calendar else None,
        withdrawn_from=withdrawal.from_on if withdrawal else None,
        withdrawal_reason=withdrawal.reason if withdrawal else None,
    )
    return _outgoing(event, cause, at)


def calendar_published(
    calendar: Calendar, version: CalendarVersion, cause: Cause, at: datetime
) -> Outgoing:
    """A calendar's version, with the calendar's name at this moment."""
    event = CalendarPublished(
        calendar_id=calendar.id,
        number=version.number,
        code=calendar.code,
        name=calendar.name,
        document=dict(version.document),
        published_at=at,
    )
    return _outgoing(event, cause, at)


def prices_published(
    series: PriceSeries, days: Sequence[Changed], cause: Cause, at: datetime
) -> list[Outgoing]:
    """One event per day, each with all prices of its day."""
    return [
        _outgoing(
            PricesPublished(
                series_id=series.id,
                code=series.code,
                currency=series.currency,
                zone=series.zone,
                day=one.day,
                minutes=series.minutes,
                version=one.version,
                prices=[None if price is None else unscaled(price) for price in one.prices],
                published_at=at,
            ),
            cause,
            at,
        )
        for one in days
    ]


def _outgoing(event: Event, cause: Cause, at: datetime) -> Outgoing:
    return Outgoing.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=new_id(),
        occurred_at=at,
    )


def check_tariff_shape(document: Document) -> None:
    """Rejected unless the document is of the published schema; what it means is the domain's."""
    _check_shape(TariffDocument, document, "invalid_tariff", "the document is not a tariff")


def check_calendar_shape(document: Document) -> None:
    """Rejected unless the document is of the published schema; what it means is the domain's."""
    _check_shape(CalendarDocument, document, "invalid_calendar", "the document is not a calendar")


def _check_shape(model: type[BaseModel], document: Document, code: str, detail: str) -> None:
    try:
        model.model_validate(document)
    except ValidationError as invalid:
        faults = tuple(
            Fault(_pointer(document, error["loc"]), error["msg"])
            for error in invalid.errors(include_url=False, include_input=False)
        )
        raise Rejected(code, detail, faults) from None


def _pointer(document: Any, places: tuple[int | str, ...]) -> str:
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
