"""The contents of a proof as rating takes them, and lines as a proof spells them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from gridtally.kernel.money import parse_decimal
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.lines import Line
from gridtally.rating.line_documents import line_document
from gridtally.rating.price_days import PriceDay, versioned_series
from gridtally.rating.prices import PriceSeries
from gridtally.rating.proof.leaves import LINE_FIELDS
from gridtally.rating.recalculation import InvoiceBasis
from gridtally.rating.recorded import RecordedSeries, doubtful_flows, energy_of, metered
from gridtally.rating.state import read_state
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Flow, slots_in


@dataclass(frozen=True, slots=True)
class ProvenSeries:
    """A flow's readings as a proof has them."""

    flow: Flow
    minutes: int
    values: Sequence[int | None]
    quality: str
    summed: Sequence[Mapping[str, Any]] = ()
    """What the meter was the sum of, where it is derived: hashed, and nothing is computed of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a proof says that its bill was computed from, and the digest of its readings."""

    bill: InvoiceBasis
    digest: str


def basis_of(document: Mapping[str, Any]) -> Basis:
    """What the bill of a proof rests on; Rejected, or what Python raises of it, where it is none.

    KeyError, TypeError, ValueError and OverflowError are to be expected.
    """
    invoice, readings = document["invoice"], document["readings"]
    period = _period(invoice)
    series = [ProvenSeries(**fields) for fields in document["series"]]
    for own in series:
        if (
            not len(own.values)
            == len(own.quality)
            == slots_in(readings["zone"], period, own.minutes)
        ):
            raise ValueError(f"the series of {own.flow} does not fill the period")
    versions = {
        version["id"]: tariff_version(UUID(version["id"]), version["document"])
        for version in document["tariff_versions"]
    }
    connected_kw = readings["connected_kw"]
    basis = InvoiceBasis(
        zone=readings["zone"],
        period=period,
        minutes={own.flow: own.minutes for own in series},
        series={own.flow: metered(own) for own in series},
        doubtful=doubtful_flows(series),
        connected_kw=None if connected_kw is None else parse_decimal(connected_kw),
        closed_by=readings["closed_by"],
        parts=[
            Part(_period(part), versions[part["tariff_version_id"]]) for part in document["parts"]
        ],
        state_before=read_state(document["state_before"]),
        prices=_prices(document["prices"]),
    )
    return Basis(basis, digest_of(series))


def digest_of(series: Sequence[RecordedSeries]) -> str:
    """SHA-256 over flow, length, values (64-bit little-endian) and quality of each series, as they
    were hashed when the period was closed."""
    sha = hashlib.sha256()
    for own in series:
        sha.update(f"{own.flow}|{own.minutes}|{len(own.values)}|".encode())
        sha.update(energy_of(own.values).astype("<i8").tobytes())
        sha.update(own.quality.encode())
    return sha.hexdigest()


def text_of(line: Line) -> dict[str, Any]:
    """A line as a proof has it: ids and days as text too."""
    document = line_document(line)
    return {name: _text(document[name]) for name in LINE_FIELDS}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | date) else value


def _period(fields: Mapping[str, Any]) -> Period:
    return Period(date.fromisoformat(fields["start_on"]), date.fromisoformat(fields["end_on"]))


def _prices(price_days: Sequence[Mapping[str, Any]]) -> dict[str, PriceSeries]:
    days_of: dict[str, list[PriceDay]] = {}
    for fields in price_days:
        prices = [None if price is None else parse_decimal(price) for price in fields["prices"]]
        days_of.setdefault(fields["code"], []).append(
            PriceDay(
                day=date.fromisoformat(fields["day"]),
                zone=fields["zone"],
                minutes=fields["minutes"],
                currency=fields["currency"],
                version=fields["version"],
                prices=tuple(prices),
            )
        )
    return {code: versioned_series(days).series for code, days in days_of.items()}
