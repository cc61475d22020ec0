"""The proof of a collective invoice: those of its sections, and a root over theirs.

Its id follows from the ids of its sections, so that nobody can leave one out, or put the sections
of another invoice in their place.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from gridtally.kernel.chain import Tampered, canonical
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT, plain
from gridtally.rating.proof.leaves import leaf_of_piece, root_of
from gridtally.rating.proof.verification import ProvenInvoice, verify_invoice

COLLECTIVE_FORMAT = "gridtally-collective-proof-1"


def collective_id(tenant_id: str, section_ids: Iterable[UUID]) -> UUID:
    """The id of the collective invoice that has these sections."""
    return derive_id("collective_invoice", tenant_id, *sorted(map(str, section_ids)))


def root_of_sections(sections: Sequence[tuple[str, str | None]]) -> str:
    """The root over the ids and roots of sections, in their order, in hexadecimal."""
    return root_of(
        [
            leaf_of_piece(f"/sections/{index}", canonical({"id": id_, "root": root}))
            for index, (id_, root) in enumerate(sections)
        ]
    )


def verify(
    document: Any, known_root: str | None = None, *, may_lack_root: bool = False
) -> ProvenInvoice:
    """What the proof of an invoice, collective or not, proves; as `verify_invoice`."""
    if isinstance(document, dict) and document.get("format") == COLLECTIVE_FORMAT:
        return _verify_collective(document, known_root)
    return verify_invoice(document, known_root, may_lack_root=may_lack_root)


def _verify_collective(document: dict[str, Any], known_root: str | None) -> ProvenInvoice:
    if document.keys() != {"format", "root", "sections"}:
        raise Tampered("a collective proof has a format, a root and sections, and nothing else")
    root, proofs = document["root"], document["sections"]
    if not isinstance(proofs, list) or not proofs:
        raise Tampered("/sections is no list of proofs")
    sections = []
    for index, proof in enumerate(proofs):
        try:
            sections.append(verify_invoice(proof))
        except Tampered as tampered:
            raise Tampered(f"/sections/{index}: {tampered}") from None
    own_root = root_of_sections([(section.id, section.root) for section in sections])
    if root != own_root:
        raise Tampered("/root is not that of the sections that the proof holds")
    if known_root is not None and root != known_root:
        raise Tampered(f"the root is {root}, the invoice's is {known_root}")
    numbers = {section.number.rpartition("/")[0] for section in sections}
    tenants = {proof["invoice"]["tenant_id"] for proof in proofs}
    currencies = {section.currency for section in sections}
    if not len(numbers) == len(tenants) == len(currencies) == 1:
        raise Tampered("/sections are not of one invoice")
    with localcontext(EXACT):
        total = sum((Decimal(section.total) for section in sections), Decimal(0))
    (tenant_id,) = tenants
    return ProvenInvoice(
        id=str(collective_id(tenant_id, (UUID(section.id) for section in sections))),
        number=numbers.pop(),
        currency=currencies.pop(),
        total=plain(total),
        lines=sum(section.lines for section in sections),
        root=root,
    )
