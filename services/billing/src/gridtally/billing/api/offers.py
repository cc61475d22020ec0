"""Offers: `/v1/customers/{id}/offers`, the tariffs that a customer may try."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.domain import offers as domain
from gridtally.billing.handlers import offers as handlers
from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel

router = Router(prefix="/v1/customers", tags=["calculated bills"])
EARLIEST_ON, LATEST_ON = date(2000, 1, 1), date(9990, 1, 1)


class OfferedTariff(AnswerModel):
    """A tariff, and its version that is in force on the day."""

    tariff_id: UUID
    """The tariff."""
    code: str
    """Its short name for programs."""
    name: str
    """What people call it."""
    currency: str
    """The currency of its prices."""
    tariff_version_id: UUID
    """The version."""
    effective_from: date
    """The first local date on which the version is in force."""
    effective_to: date | None
    """The local date from which it is no longer in force; null for no end."""

    @classmethod
    def of(cls, offer: domain.Offer) -> Self:
        """The offer as the API shows it."""
        return cls(
            tariff_id=offer.tariff_id,
            code=offer.code,
            name=offer.name,
            currency=offer.currency,
            tariff_version_id=offer.version.version_id,
            effective_from=offer.version.effective_from,
            effective_to=offer.version.effective_to,
        )


class Offers(AnswerModel):
    """What a customer may try, and what it has."""

    customer_id: UUID
    """The customer."""
    on: date
    """The day that was asked for, or else today's where the customer's meters are."""
    offered: list[OfferedTariff]
    """The seller's `offered_tariffs` that are in the customer's currency, in that order."""
    present: list[OfferedTariff]
    """The versions that price the customer's meters on `present_on`: several where the meters are
    on several tariffs, none where none has ever had one."""
    present_on: date
    """The day that was asked for; for a customer without a tariff on it, the last day of the last
    agreement before."""


@router.get("/{customer_id}/offers")
async def list_offers(
    customer_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    on: Annotated[
        date | None,
        Query(
            description="A local day; without it today's where the customer's meters are",
            ge=EARLIEST_ON,
            lt=LATEST_ON,
        ),
    ] = None,
) -> Offers:
    """The tariffs that the seller offers to whoever wants to try one, and the present ones.

    A version of either can be named in `POST /v1/bills/calculate-and-store`.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        day = on or await handlers.fetch_today(read, caller.tenant_id, customer_id, now)
        offers = await handlers.fetch_offers(read, caller.tenant_id, customer_id, day)
    return Offers(
        customer_id=customer_id,
        on=offers.on,
        offered=[OfferedTariff.of(offer) for offer in offers.offered],
        present=[OfferedTariff.of(offer) for offer in offers.present],
        present_on=offers.present_on,
    )
