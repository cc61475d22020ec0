"""`/v1/meters/{id}/definitions`: what derived meters are sums of."""

from uuid import UUID

from fastapi import Response

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.ledger.callers import Reader, WriteCause
from gridtally.ledger.metering.analytics.handlers import definitions
from gridtally.ledger.metering.analytics.schemas.definitions import Definition, NewDefinition
from gridtally.ledger.metering.readings.schemas.readings import AsOf

router = Router(prefix="/v1", tags=["analytics"])


@router.post("/meters/{meter_id}/definitions", status_code=201, response_model=Definition)
async def define_meter(
    meter_id: UUID, new: NewDefinition, db: Db, cause: WriteCause, request: Idempotent
) -> Response:
    """Define what a derived meter is the sum of, from a local day on. Earlier days keep what they
    had; of two versions from one day the later one counts. A circle is refused."""
    terms = [term.to_domain() for term in new.terms]
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        made = await definitions.define_meter(tx, cause, meter_id, new.from_on, terms)
        return await request.store_answer(tx, 201, Definition.of(made))


@router.get("/meters/{meter_id}/definitions")
async def list_definitions(
    meter_id: UUID, db: Db, caller: Reader, as_of: AsOf = None
) -> list[Definition]:
    """The versions of a derived meter's definition, oldest first."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        versions = await definitions.fetch_definitions(read, caller.tenant_id, meter_id, as_of)
    return [Definition.of(definition) for definition in versions]
