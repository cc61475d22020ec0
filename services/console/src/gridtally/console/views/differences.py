"""Why a bill differs from another: the lines that an API tells, taken apart as invoices do it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridtally.console.upstream import Json
from gridtally.documents.comparison import Difference, difference, imported_kwh


@dataclass(frozen=True, slots=True)
class Item:
    """What a line is for."""

    component_id: str
    kind: str
    band: str | None
    flow: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line as an API tells it."""

    item: Item
    quantity: Decimal
    amount: Decimal


def between(bill: Json, earlier: Json) -> Difference:
    """By how much, and why, a bill differs from an earlier one; both with their lines."""
    return difference(_lines(bill), _lines(earlier), bill["currency"])


def used_kwh(bill: Json) -> Decimal:
    """What a bill says was taken from the grid."""
    return imported_kwh(_lines(bill))


def by_band(bills: Iterable[Json]) -> dict[str, tuple[Decimal, Decimal]]:
    """The energy in kWh and the amount of each band that bills tell, by its name."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for bill in bills:
        for line in _lines(bill):
            band = line.item.band
            if band is None or line.item.unit != "kWh" or line.item.flow != "import":
                continue
            kwh, amount = sums.get(band, (Decimal(0), Decimal(0)))
            sums[band] = (kwh + line.quantity, amount + line.amount)
    return sums


def _lines(bill: Json) -> Sequence[BillLine]:
    return [
        BillLine(
            Item(
                line["component_id"],
                line["kind"],
                line["band"],
                line["flow"],
                line["unit"],
            ),
            Decimal(line["quantity"]),
            Decimal(line["amount"]),
        )
        for line in bill["lines"]
    ]
