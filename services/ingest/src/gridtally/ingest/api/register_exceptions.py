"""Register exceptions: readings of registers that do not fit one another."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.ingest.api.callers import Reader
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.store import register_exceptions
from gridtally.metering.readings import ExceptionReason

router = Router(prefix="/v1/register-exceptions", tags=["register exceptions"])


class RegisterException(BaseModel):
    """The time from one reading of a register to the next that makes no energy; the values are
    what the register showed, in kWh.

    `decrease`: too little for a rollover, so one of the readings is wrong. `register_mismatch`: the
    readings are not of the same register. `too_old`: the first was taken before anything that is
    stored.
    """

    meter_id: UUID
    flow: Flow
    start_at: datetime
    end_at: datetime
    reason: ExceptionReason
    start_value: Decimal
    end_value: Decimal


@router.get("")
async def list_register_exceptions(
    db: Db, caller: Reader, paging: Paging, meter_id: UUID | None = None
) -> Page[RegisterException]:
    """Where two readings of a register make no energy, by meter, flow and moment.

    Correct or withdraw the wrong reading in the ledger, and the exception leaves this list.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await register_exceptions.list_exceptions(
            read,
            caller.tenant_id,
            meter_id=meter_id,
            after=paging.after(UUID, str, datetime.fromisoformat),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows,
        item=RegisterException.model_validate,
        position=lambda row: (row["meter_id"], row["flow"], row["start_at"]),
    )
