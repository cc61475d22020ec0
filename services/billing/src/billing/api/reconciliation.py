"""Billing's part of the reconciliation: what must agree, counted anew at each call."""

from collections.abc import Iterator

from fastapi import APIRouter
from pydantic import BaseModel

from billing.api.callers import Reader
from billing.store import reconciliation
from contracts.model import Amount
from database import snapshot
from serving.context import Db

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"])


class CurrencyTotals(BaseModel):
    """`invoiced` less `credited` is what the `live` invoices come to."""

    currency: str
    invoices: int
    invoiced: Amount
    credit_notes: int
    credited: Amount
    live: int
    live_total: Amount
    lines_total: Amount


class SeriesCount(BaseModel):
    """A number series: as many documents as numbers, each with one of them."""

    series: str
    issued: int
    documents: int
    in_order: int


class Reconciliation(BaseModel):
    """`breaches` says what does not agree; it is empty when all does."""

    currencies: list[CurrencyTotals]
    series: list[SeriesCount]
    periods: int
    invoiced: int
    held: int
    energy_wh: int
    ok: bool
    breaches: list[str]


@router.get("")
async def reconcile(db: Db, caller: Reader) -> Reconciliation:
    """Totals of the tenant's invoices and credit notes, and whether everything agrees."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        totals = await reconciliation.fetch_totals(read, caller.tenant_id)
        series = await reconciliation.fetch_series(read, caller.tenant_id)
        periods = await reconciliation.fetch_periods(read, caller.tenant_id)
    currencies = [
        CurrencyTotals.model_validate(dict(row) | {"live_total": row["live_total"] or 0})
        for row in totals
    ]
    counts = [SeriesCount.model_validate(dict(row)) for row in series]
    breaches = [*_breaches(currencies, counts)]
    live = sum(one.live for one in currencies)
    if live != periods["invoiced"]:
        breaches.append(f"{periods['invoiced']} periods have an invoice, but {live} are live")
    if periods["behind"] != periods["held"]:
        breaches.append(f"{periods['behind']} periods wait, but {periods['held']} are held")
    return Reconciliation(
        currencies=currencies,
        series=counts,
        periods=periods["periods"],
        invoiced=periods["invoiced"],
        held=periods["held"],
        energy_wh=periods["energy_wh"],
        ok=not breaches,
        breaches=breaches,
    )


def _breaches(currencies: list[CurrencyTotals], series: list[SeriesCount]) -> Iterator[str]:
    for one in currencies:
        if one.invoiced - one.credited != one.live_total:
            yield f"{one.currency}: invoiced less credited is not what is live"
        if one.lines_total != one.invoiced:
            yield f"{one.currency}: the lines do not add up to the invoices"
    for count in series:
        if not count.issued == count.documents == count.in_order:
            yield f"{count.series}: {count.issued} numbers, {count.in_order} documents in order"
