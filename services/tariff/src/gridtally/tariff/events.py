"""The events that the catalogue emits, made of the domain's values."""

from collections.abc import Sequence
from datetime import datetime

from gridtally.contracts.catalogue import CalendarPublished, PricesPublished, RegionChanged
from gridtally.contracts.commerce import TariffPublished
from gridtally.contracts.envelope import source_of
from gridtally.contracts.model import Event
from gridtally.kernel.ids import derive_id, new_id
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import OutgoingMessage
from gridtally.tariff.domain.calendar_versions import CalendarVersion
from gridtally.tariff.domain.calendars import Calendar
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.price_uploads import ChangedDay
from gridtally.tariff.domain.prices import unscaled
from gridtally.tariff.domain.regions import Region
from gridtally.tariff.domain.tariff_versions import TariffVersion
from gridtally.tariff.domain.tariffs import Tariff

SOURCE = source_of("tariff")


def tariff_published(
    tariff: Tariff, version: TariffVersion, cause: Cause, at: datetime
) -> OutgoingMessage:
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


def region_changed(tenant_id: str, stored: Stored[Region], at: datetime) -> OutgoingMessage:
    """A region as it is now."""
    region = stored.resource
    # Its age is part of the event's id: a region that is deleted and made again with the same id
    # begins at version 1 again.
    event_id = derive_id(
        RegionChanged.TOPIC, tenant_id, region.id, stored.created_at.isoformat(), stored.version
    )
    return OutgoingMessage.of(
        RegionChanged(
            region_id=region.id,
            code=region.code,
            name=region.name,
            zone=region.zone,
            kind=region.kind,
            parent_id=region.parent_id,
            version=stored.version,
        ),
        tenant_id=tenant_id,
        correlation_id=str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=at,
    )


def region_ended(stored: Stored[Region], cause: Cause, at: datetime) -> OutgoingMessage:
    """The message without a value that says that a region has been deleted."""
    return OutgoingMessage.raw(
        RegionChanged.TOPIC,
        str(stored.resource.id),
        None,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=new_id(),
        occurred_at=at,
    )


def calendar_published(
    calendar: Calendar, version: CalendarVersion, cause: Cause, at: datetime
) -> OutgoingMessage:
    """A calendar's version, with the calendar's name at this moment."""
    event = CalendarPublished(
        calendar_id=calendar.id,
        number=version.number,
        code=calendar.code,
        name=calendar.name,
        document=dict(version.document),
        published_at=at,
        version_id=version.id,
    )
    return _outgoing(event, cause, at)


def prices_published(
    series: PriceSeries, days: Sequence[ChangedDay], cause: Cause, at: datetime
) -> list[OutgoingMessage]:
    """One event per day, each with all prices of its day."""
    return [
        _outgoing(
            PricesPublished(
                series_id=series.id,
                code=series.code,
                currency=series.currency,
                zone=series.zone,
                day=day.day,
                minutes=series.minutes,
                version=day.version,
                prices=[None if price is None else unscaled(price) for price in day.prices],
                published_at=at,
                name=series.name,
            ),
            cause,
            at,
        )
        for day in days
    ]


def _outgoing(event: Event, cause: Cause, at: datetime) -> OutgoingMessage:
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=new_id(),
        occurred_at=at,
    )
