"""`/v1/invoices/{id}/proof`: all that an invoice was computed from, to be verified anywhere."""

from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.handlers import proofs as handlers
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router

router = Router(prefix="/v1/invoices", tags=["invoices"])


class InvoiceProof(BaseModel):
    """An invoice with all that it was computed from; docs/proof.md says what each part holds."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    format: str
    """`gridtally-invoice-proof-1`."""
    root: str | None
    """The root that the invoice was issued with; null of one from before there were proofs."""
    hashes: dict[str, str]
    """The leaf of each part by its path, SHA-256 in hexadecimal."""
    invoice: dict[str, Any]
    """The invoice without its lines."""
    lines: list[dict[str, Any]]
    """Its lines."""
    readings: dict[str, Any]
    """How its period was closed, and the digest of its readings."""
    series: list[dict[str, Any]]
    """The readings, flow by flow: values in Wh (varh) and a letter of quality for each."""
    parts: list[dict[str, Any]]
    """Which tariff version applied on which days."""
    tariff_versions: list[dict[str, Any]]
    """The documents of these versions."""
    prices: list[dict[str, Any]]
    """The days of prices that they name."""
    state_before: dict[str, Any]
    """What the bill before carried forward, by component."""
    state_after: dict[str, Any]
    """What this one does."""


@router.get("/{invoice_id}/proof", response_model=InvoiceProof)
async def prove_invoice(invoice_id: UUID, db: Db, caller: CustomerReader) -> Response:
    """The proof of an invoice: readings, tariff, prices, states and lines, under a root that is on
    the invoice and in the ledger. `gridtally verify invoice FILE` checks it without a server."""
    proof = await handlers.prove_invoice(db, caller.tenant_id, invoice_id)
    disposition = {"Content-Disposition": f'attachment; filename="{invoice_id}-proof.json"'}
    return Response(proof, media_type="application/json", headers=disposition)
