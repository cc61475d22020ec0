"""The form of a proof and its root: what is hashed of an invoice, how, and in which order.

docs/proof.md specifies it for whoever writes a verifier. What is hashed of an invoice never
changes: a field that comes later makes another `FORMAT`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridtally.kernel.chain import canonical
from gridtally.kernel.merkle import leaf_hash, root_of_leaves

FORMAT = "gridtally-invoice-proof-1"
SECTIONS = (
    "invoice", "lines", "readings", "series", "parts", "tariff_versions", "prices",
    "state_before", "state_after",
)  # fmt: skip
"""The parts of a proof that are hashed, in their order."""
LISTS = frozenset({"lines", "series", "tariff_versions", "prices"})
"""Of which each entry is hashed by itself."""
INVOICE_FIELDS = (
    "tenant_id", "id", "number", "customer_id", "agreement_id", "meter_id", "start_on", "end_on",
    "revision", "restatement", "currency", "net", "tax", "total", "issued_at", "correlation_id",
    "brought_forward", "arrears", "quality",
)  # fmt: skip
LINE_FIELDS = (
    "component_id", "kind", "band", "flow", "unit", "quantity_rounding", "rate",
    "tariff_version_id", "start_on", "end_on", "payee", "tax_class", "quantity", "amount_exact",
    "amount", "quality",
)  # fmt: skip
READINGS_FIELDS = (
    "zone", "connected_kw", "closed_by", "expected_intervals", "present_intervals", "digest",
)  # fmt: skip


def pieces(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is hashed of a proof: each piece with its path, in the order of the leaves."""
    for section in SECTIONS:
        if section in LISTS:
            for index, entry in enumerate(document[section]):
                yield f"/{section}/{index}", entry
        else:
            yield f"/{section}", document[section]


def leaf_of_piece(path: str, canonical_value: bytes) -> bytes:
    """The leaf of a piece, whose value is spelled already: that of `{"path":…,"value":…}`."""
    return leaf_hash(b'{"path":"%s","value":%s}' % (path.encode(), canonical_value))


def leaves_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The leaf of each piece by its path. TypeError or ValueError for what has no canonical form:
    numbers that are not whole, and texts that are not Unicode."""
    return {path: leaf_of_piece(path, canonical(value)) for path, value in pieces(document)}


def root_of(leaves: Sequence[bytes]) -> str:
    """The root of the tree over the leaves (RFC 6962), in hexadecimal."""
    return root_of_leaves(leaves).hex()
