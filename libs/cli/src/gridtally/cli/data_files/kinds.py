"""What each kind of file has in its columns, and what a row of it asks for.

Owns the columns and the texts in them; what is right is the services' to say.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ValidationError

from gridtally.cli.data_files.references import Kind as Named
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.rows import Row
from gridtally.client.generated import billing_models as billing
from gridtally.client.generated import ledger_models as ledger
from gridtally.files.header import Columns
from gridtally.files.numbers import not_a_number
from gridtally.files.stamps import parse_stamp

Name = Literal[
    "customers", "properties", "meters", "agreements", "readings", "opening-balances",
]  # fmt: skip
WH_PER_KWH = 1000
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_WHOLE = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Item:
    """What a row asks for: `body` is to be made under `id`; a reading has that of its meter,
    an opening balance that of its customer.
    `needs` must be there before it."""

    row: int
    reference: str
    body: BaseModel
    id: UUID
    needs: tuple[tuple[Named, UUID, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: `read` makes the item of a row, or says by ValueError what is wrong."""

    name: Name
    columns: Columns
    read: Callable[[Row, References], Awaitable[Item]]


def _columns(kind: str, needed: tuple[str, ...], optional: tuple[str, ...]) -> Columns:
    return Columns(f"a file of {kind}", tuple((name,) for name in needed), optional)


async def _customer(row: Row, references: References) -> Item:
    given = dict(row.fields)
    reference = given.pop("reference")
    address = {
        name: given.pop(name)
        for name in ("street", "addition", "postal_code", "city", "region", "country")
        if name in given
    }
    fields: dict[str, Any] = {"number": reference, **given}
    if address:
        fields["billing_address"] = address
    id_ = references.new_id("customer", reference)
    return Item(row.number, reference, _body(billing.NewCustomer, {"id": id_, **fields}), id_)


async def _property(row: Row, references: References) -> Item:
    given = dict(row.fields)
    reference = given.pop("reference")
    needs, fields = _named(given, references, ("parent", "property"), ("customer", "customer"))
    id_ = references.new_id("property", reference)
    body = _body(ledger.NewProperty, {"id": id_, **fields})
    return Item(row.number, reference, body, id_, needs)


async def _meter(row: Row, references: References) -> Item:
    given = dict(row.fields)
    reference = given.pop("reference")
    needs, fields = _named(given, references, ("property", "property"))
    flow = fields.pop("flow", "generation" if fields["meter_type"] == "solar" else "import")
    limit = fields.pop("interval_kwh_max", None)
    minutes = fields.pop("minutes", None)
    if (minutes is None) != (limit is None):
        raise ValueError("minutes and interval_kwh_max belong together: give both, or neither")
    if minutes is not None and limit is not None:
        channel = {"flow": flow, "minutes": _whole("minutes", minutes),
                   "interval_wh_max": _wh(limit)}  # fmt: skip
        fields["channels"] = [channel]
    register = {
        name: fields.pop(name) for name in ("digits", "decimals", "multiplier") if name in fields
    }
    if register or minutes is None:
        fields["registers"] = [{"flow": flow, **register}]
    id_ = references.new_id("meter", reference)
    body = _body(ledger.NewMeterOfProperty, {"id": id_, "name": reference, **fields})
    return Item(row.number, reference, body, id_, needs)


async def _agreement(row: Row, references: References) -> Item:
    given = dict(row.fields)
    reference = given.pop("reference")
    needs, fields = _named(given, references, ("customer", "customer"), ("meter", "meter"))
    tariff_id = await references.tariff_id(fields.pop("tariff"))
    id_ = references.new_id("agreement", reference)
    body = _body(billing.NewAgreement, {"id": id_, "tariff_id": tariff_id, **fields})
    return Item(row.number, reference, body, id_, needs)


async def _reading(row: Row, references: References) -> Item:
    given = dict(row.fields)
    needs, fields = _named(given, references, ("meter", "meter"))
    read_at = _instant("read_at", fields["read_at"])
    value = _decimal("kwh", fields.pop("kwh"))
    fields |= {"read_at": read_at, "value": value}
    body = _body(ledger.NewReadingOfMeter, fields)
    reference = f"{given['meter']} {_shown(read_at)}"
    return Item(row.number, reference, body, fields["meter_id"], needs)


async def _opening_balance(row: Row, references: References) -> Item:
    given = dict(row.fields)
    needs, fields = _named(given, references, ("customer", "customer"))
    fields["occurred_at"] = _instant("occurred_at", fields["occurred_at"])
    fields["amount"] = _decimal("amount", fields["amount"])
    body = _body(ledger.NewOpeningBalance, fields)
    return Item(row.number, given["reference"], body, fields["customer_id"], needs)


KINDS: Mapping[Name, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "customers",
            _columns(
                "customers",
                ("reference", "name", "currency"),
                ("email", "phone_number", "language", "tax_id", "payment_days", "street",
                 "addition", "postal_code", "city", "region", "country", "e_invoice_consent_on",
                 "invoicing"),
            ),
            _customer,
        ),
        Kind(
            "properties",
            _columns(
                "properties",
                ("reference", "name", "zone"),
                ("address", "region_id", "connected_kw", "parent", "customer"),
            ),
            _property,
        ),
        Kind(
            "meters",
            _columns(
                "meters",
                ("reference", "property", "meter_type"),
                ("name", "flow", "minutes", "interval_kwh_max", "digits", "decimals",
                 "multiplier"),
            ),
            _meter,
        ),
        Kind(
            "agreements",
            _columns(
                "agreements",
                ("reference", "customer", "meter", "tariff", "start_on"),
                ("end_on", "closing", "grace_hours", "billing_starts_on", "back_billing_months"),
            ),
            _agreement,
        ),
        Kind(
            "readings",
            _columns("register readings", ("meter", "read_at", "kwh"),
                     ("flow", "quality", "note")),
            _reading,
        ),
        Kind(
            "opening-balances",
            _columns(
                "opening balances",
                ("reference", "customer", "currency", "amount", "occurred_at"),
                ("due_on",),
            ),
            _opening_balance,
        ),
    )
}  # fmt: skip


async def read_item(kind: Kind, row: Row, references: References) -> Item:
    """The item of a row; ValueError with what is wrong."""
    if row.fault is not None:
        raise ValueError(row.fault)
    for (name,) in kind.columns.needed:
        if name not in row.fields:
            raise ValueError(f"{name} is empty")
    return await kind.read(row, references)


def _named(
    given: dict[str, str], references: References, *columns: tuple[str, Named]
) -> tuple[tuple[tuple[Named, UUID, str], ...], dict[str, Any]]:
    """What a row names, and its fields with ids in place of references."""
    fields: dict[str, Any] = dict(given)
    needs = []
    for column, kind in columns:
        if column in given:
            text = fields.pop(column)
            fields[f"{column}_id"] = id_ = references.id_of(kind, text)
            needs.append((kind, id_, text))
    return tuple(needs), fields


def _body(model: type[BaseModel], fields: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(fields)
    except ValidationError as wrong:
        # a row has few fields, so all that is wrong with it is little
        error, *_ = json.loads(wrong.json(include_url=False, include_input=False))
        column = ".".join(str(part) for part in error["loc"])
        raise ValueError(f"{column}: {error['msg'][:200]}") from None


def _instant(column: str, text: str) -> datetime:
    try:
        instant = parse_stamp(text)
    except ValueError as wrong:
        raise ValueError(f"{column} {wrong}") from None
    if instant.tzinfo is None:
        raise ValueError(f"{column} has no zone: write 2025-03-01T00:00+01:00, or …Z for UTC")
    return instant


def _decimal(column: str, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{column} {not_a_number(text)}")
    return Decimal(text)


def _whole(column: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{column} is {text[:40]!r}, not a whole number")
    return int(text)


def _wh(text: str) -> int:
    energy = _decimal("interval_kwh_max", text) * WH_PER_KWH
    if energy != energy.to_integral_value():
        raise ValueError("interval_kwh_max has more than three decimals")
    return int(energy)


def _shown(instant: datetime) -> str:
    return instant.isoformat(timespec="minutes")
