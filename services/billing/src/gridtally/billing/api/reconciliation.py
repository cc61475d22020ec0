"""Billing's part of the reconciliation: what must agree, counted again at each call."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from gridtally.billing.api.callers import Reader
from gridtally.billing.store import reconciliation as store
from gridtally.contracts.model import Amount
from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.kernel.money import in_currency

router = Router(prefix="/v1/reconciliation", tags=["reconciliation"])
PAYEE = "Who is owed, as lines name them; null for taxes that name nobody"


class CurrencyTotals(BaseModel):
    """`invoiced` less `credited` is what is left of the `live` invoices, and what the running sums
    of customers come to (`issued_total`); `overcredited` are credited by more than they were of."""

    currency: str
    invoices: int
    invoiced: Amount
    credit_notes: int
    credited: Amount
    live: int
    live_total: Amount
    overcredited: Annotated[int, Field(description="How many live invoices are")]
    lines_total: Amount
    issued_total: Amount

    @classmethod
    def of(cls, row: Any) -> "CurrencyTotals":
        """The totals of a row, in the decimals of their currency."""
        return cls.model_validate(
            {
                name: in_currency(value, row["currency"]) if isinstance(value, Decimal) else value
                for name, value in row.items()
            }
        )


class OwedToPayee(BaseModel):
    """What lines of invoices that stand name a payee for, less what was credited of them."""

    currency: str
    payee: Annotated[str | None, Field(description=PAYEE)]
    owed: Amount

    @classmethod
    def of(cls, row: Any) -> "OwedToPayee":
        """The payee of a row, with the decimals of the currency."""
        owed = in_currency(row["owed"], row["currency"])
        return cls(currency=row["currency"], payee=row["payee"], owed=owed)


class SeriesCount(BaseModel):
    """A number series: as many documents as numbers, each with one of them."""

    series: str
    issued: int
    documents: int
    in_order: int


class Reconciliation(BaseModel):
    """`breaches` names what does not agree; it is empty when all does."""

    currencies: list[CurrencyTotals]
    payees: list[OwedToPayee]
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
        totals = await store.fetch_totals(read, caller.tenant_id)
        series = await store.fetch_series(read, caller.tenant_id)
        payees = await store.fetch_payees(read, caller.tenant_id)
        periods = await store.fetch_periods(read, caller.tenant_id)
    currencies = [CurrencyTotals.of(row) for row in totals]
    counts = [SeriesCount.model_validate(dict(row)) for row in series]
    breaches = [*_breaches(currencies, counts)]
    if periods["live"] != periods["invoiced"]:
        breaches.append(
            f"{periods['invoiced']} periods have an invoice, but {periods['live']} are live"
        )
    if periods["unlike_sections"]:
        breaches.append(
            f"{periods['unlike_sections']} collective invoices are not the sum of their sections"
        )
    if periods["behind"] != periods["held"]:
        breaches.append(f"{periods['behind']} periods wait, but {periods['held']} are held")
    return Reconciliation(
        currencies=currencies,
        payees=[OwedToPayee.of(row) for row in payees],
        series=counts,
        periods=periods["periods"],
        invoiced=periods["invoiced"],
        held=periods["held"],
        energy_wh=periods["energy_wh"],
        ok=not breaches,
        breaches=breaches,
    )


def _breaches(currencies: list[CurrencyTotals], series: list[SeriesCount]) -> Iterator[str]:
    for totals in currencies:
        if totals.invoiced - totals.credited != totals.live_total:
            yield f"{totals.currency}: invoiced less credited is not what is live"
        if totals.issued_total != totals.live_total:
            yield f"{totals.currency}: what customers were issued is not what is live"
        if totals.overcredited:
            yield f"{totals.currency}: {totals.overcredited} invoices are credited by too much"
        if totals.lines_total != totals.invoiced:
            yield f"{totals.currency}: the lines do not add up to the invoices"
    for count in series:
        if not count.issued == count.documents == count.in_order:
            yield f"{count.series}: {count.issued} numbers, {count.in_order} documents in order"
