"""`/v1/meters/{id}/exchanges`: meters that are replaced by others."""

from uuid import UUID

from fastapi import Response

from gridtally.database import transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.ledger.callers import WriteCause
from gridtally.ledger.metering.readings.domain.readings import ReadingContent, register_of
from gridtally.ledger.metering.readings.handlers import exchanges
from gridtally.ledger.metering.readings.handlers.readings import ReadingRequest
from gridtally.ledger.metering.readings.schemas.exchanges import Exchange, NewExchange
from gridtally.ledger.registry.handlers.meters import lock_meter

router = Router(prefix="/v1", tags=["readings"])


@router.post("/meters/{meter_id}/exchanges", status_code=201, response_model=Exchange)
async def exchange_meter(
    meter_id: UUID, new: NewExchange, db: Db, cause: WriteCause, request: Idempotent, now: Now
) -> Response:
    """Replace a meter: the old one's closing reading and the new one's opening reading, in one
    step. Counting continues from one to the other; nothing was used between the two."""
    read_at = new.read_at or now
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        meter, _ = await lock_meter(tx, cause.tenant_id, meter_id)
        new_register = new.new_register.after(register_of(meter.resource, new.flow))
        final, initial = await exchanges.exchange_meter(
            tx,
            cause,
            ReadingRequest(
                meter_id, new.flow, ReadingContent(new.final_value, read_at, note=new.note)
            ),
            ReadingContent(new.initial_value, read_at, note=new.note),
            new_register,
            now,
        )
        return await request.store_answer(tx, 201, Exchange.of(final, initial))
