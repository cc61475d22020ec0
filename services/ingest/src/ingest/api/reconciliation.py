"""The live reconciliation of ALL-4: counted on the way in against what lies in the tables."""

from fastapi import APIRouter
from pydantic import BaseModel

from database import snapshot
from ingest.api.callers import Reader
from ingest.store.reconciliation import fetch_reconciliation
from serving.context import Db


class Events(BaseModel):
    """Events of readings, by what became of them."""

    received: int
    stored: int
    duplicates: int
    quarantined: int
    waiting: int


class Values(BaseModel):
    """Values of stored events: those that filled a gap (less those that registers took back),
    changed another, changed nothing."""

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
    """`counted` was kept in each transaction; `found` is read from the tables now."""

    holds: bool
    counted: Events
    found: Events
    values: Values
    values_found: int
    closed_periods: int
    energy: list[Energy]


def router() -> APIRouter:
    """`GET /v1/reconciliation`."""
    api = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"])

    @api.get("")
    async def reconcile(db: Db, caller: Reader) -> Reconciliation:
        """Whether received = stored + duplicates + quarantined + waiting, and the tables agree."""
        async with snapshot(db, tenant=caller.tenant_id) as read:
            figures = await fetch_reconciliation(read, caller.tenant_id)
        counted, found = Events(**figures.counted), Events(**figures.found)
        values = Values(**figures.values)
        return Reconciliation(
            holds=counted == found and values.new == figures.values_found,
            counted=counted,
            found=found,
            values=values,
            values_found=figures.values_found,
            closed_periods=figures.closed_periods,
            energy=[Energy(**one) for one in figures.energy],
        )

    return api
