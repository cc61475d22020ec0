"""The live reconciliation of ALL-4: counted on the way in against what lies in the tables."""

from pydantic import BaseModel

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.ingest.api.callers import Reader
from gridtally.ingest.store.reconciliation import fetch_reconciliation

router = Router(prefix="/v1/reconciliation", tags=["reconciliation"])


class EventCounts(BaseModel):
    """Events of readings, by their outcome."""

    received: int
    stored: int
    duplicates: int
    quarantined: int
    pending: int
    dropped: int


class ValueCounts(BaseModel):
    """Values of stored events: those that filled a gap (less those that were voided), changed
    another, changed nothing."""

    new: int
    corrected: int
    unchanged: int


class Energy(BaseModel):
    """Energy of one flow; open is what no closed period carries."""

    flow: str
    stored_wh: int
    closed_wh: int
    open_wh: int


class Reconciliation(BaseModel):
    """`counted` was added up in each transaction; `found` is read from the tables now."""

    holds: bool
    counted: EventCounts
    found: EventCounts
    values: ValueCounts
    values_found: int
    closed_periods: int
    energy: list[Energy]


@router.get("")
async def reconcile(db: Db, caller: Reader) -> Reconciliation:
    """Whether received = stored + duplicates + quarantined + pending + dropped, and the tables
    agree."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        figures = await fetch_reconciliation(read, caller.tenant_id)
    counted, in_tables = EventCounts(**figures.counted), EventCounts(**figures.found)
    values = ValueCounts(**figures.values)
    return Reconciliation(
        holds=counted == in_tables and values.new == figures.values_found,
        counted=counted,
        found=in_tables,
        values=values,
        values_found=figures.values_found,
        closed_periods=figures.closed_periods,
        energy=[Energy(**flow) for flow in figures.energy],
    )
