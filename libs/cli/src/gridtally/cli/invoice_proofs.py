"""Whether an invoice is what its proof makes it, in one line that says what was tampered with."""

from dataclasses import dataclass
from pathlib import Path

from gridtally.cli.errors import CommandError
from gridtally.cli.ledger_proofs import read_checkpoint, read_document
from gridtally.kernel.chain import Checkpoint, Tampered, verify_proof
from gridtally.rating.proof.collective import verify
from gridtally.rating.proof.verification import ProvenInvoice


@dataclass(frozen=True, slots=True)
class CheckedInvoice:
    """Whether a proof holds, in one line, and its root where it does and has one."""

    holds: bool
    text: str
    root: str | None


def check_invoice(
    path: Path,
    root: str | None,
    entry: Path | None,
    checkpoint: Path | None,
    *,
    may_lack_root: bool,
) -> CheckedInvoice:
    """What the file proves, against the invoice's `root` and the ledger's `entry` where given, the
    entry against a saved `checkpoint`; CommandError where a file holds no JSON object."""
    if checkpoint is not None and entry is None:
        raise CommandError("--checkpoint is for the ledger's entry: name that by --entry")
    document = read_document(path)
    try:
        proven = verify(document, root and root.lower(), may_lack_root=may_lack_root)
        sealed = "" if entry is None else _sealed_in(entry, checkpoint, proven)
    except Tampered as tampered:
        return CheckedInvoice(holds=False, text=f"tampered with: {tampered}", root=None)
    rooted = f"root {proven.root}" if proven.root else "no root vouches for what it rests on"
    amounts = f"{proven.lines} lines, {proven.total} {proven.currency}"
    text = f"{proven.number} holds: {amounts}, {rooted}{sealed}"
    return CheckedInvoice(holds=True, text=text, root=proven.root)


def _sealed_in(entry: Path, checkpoint: Path | None, proven: ProvenInvoice) -> str:
    """Where the ledger sealed the invoice with this root; Tampered where it did not."""
    sealed = read_document(entry)
    if checkpoint is None:
        try:
            against = Checkpoint.from_json(sealed.get("checkpoint"))
        except ValueError as wrong:
            raise CommandError(f"{entry}: {wrong}") from None
    else:
        against = read_checkpoint(checkpoint)
    record = verify_proof(sealed, against)
    content = record.get("entry")
    if not isinstance(content, dict) or content.get("document_id") != proven.id:
        raise Tampered(f"the ledger's entry {record['seq']} is not of invoice {proven.number}")
    if content.get("proof_root") != proven.root or proven.root is None:
        raise Tampered(f"the root is not the one in the ledger's entry {record['seq']}")
    return f", sealed as entry {record['seq']} of {record['tenant']}"
