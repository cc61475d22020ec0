"""Proofs: all that an invoice was computed from, in the form that is hashed and handed out.

An invoice has the root of its proof from the moment of its issue, over the very bytes that a proof
made later from what is stored has.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID
from zlib import decompress

import orjson

from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import BilledPeriod
from gridtally.billing.events.json_form import canonically_encoded, encoded
from gridtally.kernel.chain import canonical
from gridtally.kernel.money import plain
from gridtally.rating.line_documents import line_document, quality_document
from gridtally.rating.price_days import PriceDay
from gridtally.rating.proof.collective import COLLECTIVE_FORMAT, root_of_sections
from gridtally.rating.proof.leaves import (
    FORMAT,
    INVOICE_FIELDS,
    LINE_FIELDS,
    READINGS_FIELDS,
    leaf_of_piece,
    leaves_of,
    root_of,
)
from gridtally.rating.state import state_document
from gridtally.rating.tariff import Part


def with_root(invoice: Invoice, billed: BilledPeriod) -> Invoice:
    """The invoice for a billed period with the root of its proof."""
    return replace(invoice, proof_root=root_of(list(_leaves(invoice, billed))))


# Some twenty leaves, of which the series, the tariff and the prices were hashed before: the first
# with their period, the others once for all meters that are billed by them.
def _leaves(invoice: Invoice, billed: BilledPeriod) -> Iterator[bytes]:
    closed, billable = billed.closed, billed.billable
    yield _leaf("/invoice", _invoice_document(invoice))
    for index, line in enumerate(_line_documents(invoice)):
        yield _leaf(f"/lines/{index}", line)
    connected_kw = {"connected_kw": billable.usage.connected_kw}
    readings = {
        name: connected_kw[name] if name in connected_kw else getattr(closed, name)
        for name in READINGS_FIELDS
    }
    yield _leaf("/readings", readings)
    yield from closed.series_leaves
    yield _leaf("/parts", parts_document(billable.parts))
    for index, (version_id, document) in enumerate(billable.documents.items()):
        yield _version_leaf(index, version_id, document)
    for index, (code, price_day) in enumerate(
        _in_order(
            {code: prices.days_for(closed.period) for code, prices in billable.prices.items()}
        )
    ):
        yield _price_day_leaf(index, code, price_day)
    yield _leaf("/state_before", state_document(billed.state_before))
    yield _leaf("/state_after", state_document(billed.state_after))


@dataclass(frozen=True, slots=True, eq=False)
class StoredProof:
    """What a proof is made of: the invoice, the row of its evidence, the JSON of its tariff
    versions in the order of its parts, and its days of prices by code."""

    invoice: Invoice
    evidence: Any
    documents: Mapping[UUID, str]
    price_days: Mapping[str, Sequence[PriceDay]]


def proof_document(stored: StoredProof) -> bytes:
    """The proof of an invoice, as JSON."""
    written = orjson.loads(encoded(_contents(stored)))
    hashes = {path: leaf.hex() for path, leaf in leaves_of(written).items()}
    root = stored.invoice.proof_root
    return canonical({"format": FORMAT, "root": root, "hashes": hashes, **written})


def _contents(stored: StoredProof) -> dict[str, Any]:
    invoice, evidence = stored.invoice, stored.evidence
    return {
        "invoice": _invoice_document(invoice),
        "lines": _line_documents(invoice),
        "readings": {name: evidence[name] for name in READINGS_FIELDS},
        "series": orjson.loads(decompress(evidence["usage"])),
        "parts": evidence["parts"],
        "tariff_versions": [
            _version_document(version_id, text) for version_id, text in stored.documents.items()
        ],
        "prices": [_price_day_document(code, own) for code, own in _in_order(stored.price_days)],
        "state_before": evidence["state_before"],
        "state_after": evidence["state_after"],
    }


def stored_root(stored: StoredProof) -> str:
    """The root of the proof of an invoice, from what is stored of it."""
    return root_of(list(leaves_of(orjson.loads(encoded(_contents(stored)))).values()))


def collective_root(sections: Sequence[Invoice]) -> str:
    """The root of a collective invoice: over those of its sections, in their order."""
    return root_of_sections([(str(section.id), section.proof_root) for section in sections])


def collective_document(root: str | None, sections: Sequence[StoredProof]) -> bytes:
    """The proof of a collective invoice, as JSON: those of its sections."""
    proofs = [orjson.loads(proof_document(section)) for section in sections]
    return canonical({"format": COLLECTIVE_FORMAT, "root": root, "sections": proofs})


def parts_document(parts: Iterable[Part]) -> list[dict[str, str]]:
    """Which tariff version applied on which days."""
    return [
        {
            "start_on": part.period.start_on.isoformat(),
            "end_on": part.period.end_on.isoformat(),
            "tariff_version_id": str(part.version.id),
        }
        for part in parts
    ]


def _leaf(path: str, value: object) -> bytes:
    return leaf_of_piece(path, canonically_encoded(value))


def _invoice_document(invoice: Invoice) -> dict[str, Any]:
    fields = {name: getattr(invoice, name) for name in INVOICE_FIELDS}
    return fields | {"quality": quality_document(invoice.quality)}


def _line_documents(invoice: Invoice) -> list[dict[str, Any]]:
    documents = (line_document(line) for line in invoice.lines)
    return [{name: document[name] for name in LINE_FIELDS} for document in documents]


def _version_document(version_id: UUID, text: str) -> dict[str, Any]:
    return {"id": str(version_id), "document": json.loads(text)}


def _price_day_document(code: str, price_day: PriceDay) -> dict[str, Any]:
    return {
        "code": code,
        "day": price_day.day.isoformat(),
        "version": price_day.version,
        "zone": price_day.zone,
        "minutes": price_day.minutes,
        "currency": price_day.currency,
        "prices": [None if price is None else plain(price) for price in price_day.prices],
    }


@lru_cache(maxsize=1024)
def _version_leaf(index: int, version_id: UUID, text: str) -> bytes:
    document = _version_document(version_id, text)
    return leaf_of_piece(f"/tariff_versions/{index}", canonical(document))


@lru_cache(maxsize=4096)
def _price_day_leaf(index: int, code: str, price_day: PriceDay) -> bytes:
    document = _price_day_document(code, price_day)
    return leaf_of_piece(f"/prices/{index}", canonical(document))


def _in_order(days_of: Mapping[str, Sequence[PriceDay]]) -> list[tuple[str, PriceDay]]:
    """Days of prices by code and day."""
    return [
        (code, price_day)
        for code in sorted(days_of)
        for price_day in sorted(days_of[code], key=lambda price_day: price_day.day)
    ]
