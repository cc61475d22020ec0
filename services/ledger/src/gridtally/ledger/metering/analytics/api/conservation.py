"""`/v1/properties/{id}/conservation`: whether what was supplied went through the meters below."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query

from gridtally.contracts.model import READ_EXACTLY
from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.windows import From, To
from gridtally.ledger.callers import Reader
from gridtally.ledger.metering.analytics.handlers import conservation
from gridtally.ledger.metering.analytics.schemas.conservation import BalanceTerm, Conservation
from gridtally.ledger.metering.analytics.schemas.windows import window_of
from gridtally.ledger.metering.readings.schemas.readings import AsOf
from gridtally.ledger.registry.handlers.properties import fetch_property

router = Router(prefix="/v1", tags=["analytics"])
LOSS_PERCENT_MAX = Decimal(10)
"""What a grid may lose, unless the caller says otherwise."""


@router.get("/properties/{property_id}/conservation")
async def check_conservation(
    property_id: UUID,
    db: Db,
    caller: Reader,
    from_at: From,
    to_at: To,
    loss_percent_max: Annotated[
        Decimal, Query(ge=0, le=100, max_digits=50, decimal_places=34), READ_EXACTLY
    ] = LOSS_PERCENT_MAX,
    as_of: AsOf = None,
) -> Conservation:
    """Whether what a property was supplied went through the meters below it: main = subs + losses.

    Supplied is what its main meters count (where there is none, `total`) and what solar meters
    generate; metered are its sub meters and the main meters of the properties under it.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        property_, own = await fetch_property(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, property_.zone)
        check = await conservation.check_conservation(
            read, caller.tenant_id, property_id, own, window, as_of
        )
    sides: dict[str, list[BalanceTerm]] = {"supplied": [], "metered": []}
    for term, consumption in check.terms:
        sides[term.side].append(BalanceTerm.of(term, consumption))
    balance = check.balance
    return Conservation(
        property_id=property_id,
        from_at=window[0],
        to_at=window[1],
        supplied=sides["supplied"],
        metered=sides["metered"],
        supplied_kwh=balance.supplied_kwh,
        metered_kwh=balance.metered_kwh,
        unaccounted_kwh=balance.unaccounted_kwh,
        unaccounted_percent=balance.unaccounted_percent,
        quality=balance.quality,
        ok=balance.ok(loss_percent_max),
    )
