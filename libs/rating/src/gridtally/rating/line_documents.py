"""The JSON form of a bill's lines, as invoices, events and proofs have it."""

from dataclasses import asdict
from decimal import Decimal
from functools import lru_cache
from typing import Any

from gridtally.kernel.money import plain
from gridtally.rating.engine.lines import DataQuality, Item, Line
from gridtally.rating.json_form import as_json


def line_document(line: Line) -> dict[str, Any]:
    """A line: decimals as text; ids and days as they are, for the writer of JSON to spell."""
    return _item_document(line.item) | {
        "quantity": plain(line.quantity),
        "amount_exact": plain(line.amount_exact),
        "amount": plain(line.amount),
        "quality": quality_document(line.quality),
    }


def quality_document(quality: DataQuality | None) -> dict[str, Any] | None:
    """A quality: decimals as text; None where it is not known."""
    return None if quality is None else _quality_document(quality)


# Nearly every line rests on actual readings alone; nobody changes what this returns.
@lru_cache(maxsize=4096)
def _quality_document(quality: DataQuality) -> dict[str, Any]:
    return {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in asdict(quality).items()
    }


# Thousands of invoices share the few dozen items of their tariffs; the caller copies what it gets.
@lru_cache(maxsize=4096)
def _item_document(item: Item) -> dict[str, Any]:
    """What a line has in common with that of every other meter on the tariff."""
    return {
        "component_id": item.component_id,
        "kind": item.kind,
        "band": item.band,
        "flow": item.flow,
        "unit": item.unit,
        "quantity_rounding": as_json(item.quantity_rounding),
        "rate": plain(item.rate),
        "tariff_version_id": item.tariff_version_id,
        "start_on": item.part.start_on,
        "end_on": item.part.end_on,
        "payee": item.payee,
        "tax_class": item.tax_class,
    }
