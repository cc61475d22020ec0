"""Notes that an invoice was voided. The postings come with the credit note."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class VoidNote:
    """That an invoice is no longer in force, and which credit note cancelled it."""

    tenant_id: str
    invoice_id: UUID
    credit_note_id: UUID
    reference: str
    reason: str
    voided_at: datetime
