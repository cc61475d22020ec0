"""What a customer may try, and what prices its meters now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from gridtally.billing.domain import offers as domain
from gridtally.billing.domain.offers import Offer
from gridtally.billing.handlers.calculated_bills import Question, require_customer, versions_of
from gridtally.billing.store import fleet_costs
from gridtally.billing.store import offers as store
from gridtally.billing.store.fleet_costs import Fleet
from gridtally.billing.store.previews import UTC_ZONE
from gridtally.billing.store.seller import fetch_seller
from gridtally.database import Database, ReadConnection, snapshot
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period, local_date


@dataclass(frozen=True, slots=True)
class Offers:
    """The versions that a customer may try on a day, and those that price its meters on
    `present_on`."""

    on: date
    offered: Sequence[Offer]
    present: Sequence[Offer]
    present_on: date


async def fetch_today(
    read: ReadConnection, tenant_id: str, customer_id: UUID, now: datetime
) -> date:
    """The day that it is where the customer's meters are; UTC's where none was ever read."""
    zone = await store.fetch_customers_zone(read, tenant_id, customer_id)
    return local_date(zone or UTC_ZONE, now)


async def require_own_tariff(db: Database, question: Question, now: datetime) -> None:
    """Refuse a customer a version that is none of its own.

    NotFound where it is neither offered to the customer today, nor priced its meters last or on the
    first of the days: it is not to learn which other ones there are, and at what prices.
    """
    tenant_id, customer_id = question.tenant_id, question.customer_id
    async with snapshot(db, tenant=tenant_id) as read:
        await require_customer(read, tenant_id, customer_id)
        today = await fetch_today(read, tenant_id, customer_id, now)
        offers = await fetch_offers(read, tenant_id, customer_id, today)
        fleet = await fleet_costs.fetch_fleet(read, tenant_id, customer_id, question.period)
    own = {offer.version.version_id for offer in (*offers.offered, *offers.present)}
    if question.version_id not in own | versions_of(fleet, question.period):
        raise NotFound(
            "tariff_version_unknown",
            f"tariff version {question.version_id} is neither the customer's nor offered to it",
        )


async def fetch_offers(
    read: ReadConnection, tenant_id: str, customer_id: UUID, day: date
) -> Offers:
    """What is offered to a customer on a local day, and what it has: who has nothing any more, the
    last that it had. NotFound where there is no such customer."""
    customer = await require_customer(read, tenant_id, customer_id)
    seller = await fetch_seller(read, tenant_id)
    codes = () if seller is None else seller.resource.offered_tariffs
    period = _day(day)
    fleet = await fleet_costs.fetch_fleet(read, tenant_id, customer_id, period)
    own = versions_of(fleet, period)
    ended_on = _last_end(fleet, day)
    if not own and ended_on is not None:
        period = _day(ended_on - timedelta(days=1))
        fleet = await fleet_costs.fetch_fleet(read, tenant_id, customer_id, period)
        own = versions_of(fleet, period)
    versions = await store.fetch_versions(read, tenant_id, codes, day, own)
    return Offers(
        day,
        domain.offers_on(versions, day, codes=codes, currency=customer.currency),
        [version for version in versions if version.version.version_id in own],
        period.start_on,
    )


def _day(day: date) -> Period:
    return Period(day, day + timedelta(days=1))


def _last_end(fleet: Fleet, day: date) -> date | None:
    """When the customer's last agreement ended, by a day."""
    own = {meter.id for meter in fleet.meters}
    ends = [
        agreement.end_on
        for meter_id, agreements in fleet.catalogue.agreements.items()
        for agreement in agreements
        if meter_id in own
        and agreement.customer_id == fleet.catalogue.customer_id
        and agreement.end_on is not None
        and not agreement.is_cancelled
        and agreement.end_on <= day
    ]
    return max(ends, default=None)
