"""Erasures: what is left of an entry whose texts, which may name people, are taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gridtally.kernel.chain import leaf_of, record_of, rest_of
from gridtally.ledger.audit.domain.entries import (
    COMMITMENT,
    EntryKind,
    text_fields,
    without_texts,
)
from gridtally.ledger.audit.domain.seals import Seal


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure leaves of an entry.

    commitment  to its texts, which stays where they were; None of one that was sealed with them
    seq         of such a one its place, its leaf, and the hash of what is left of it
    """

    kind: EntryKind
    entry_id: UUID
    commitment: bytes | None = None
    seq: int | None = None
    leaf: bytes | None = None
    rest: bytes | None = None


def has_texts(kind: EntryKind, entry: dict[str, Any]) -> bool:
    """Whether there is something to erase of an entry that is not erased yet."""
    names = text_fields(kind, entry)
    return COMMITMENT in entry or any(entry[name] for name in names)


def erase(
    tenant_id: str, kind: EntryKind, entry_id: UUID, entry: dict[str, Any], seal: Seal | None
) -> Erasure | None:
    """The erasure of an entry as it is stored now; None where it is not what was sealed, which an
    erasure must not hide, or was made before salts were and has no seal yet."""
    if seal is not None and seal.leaf != leaf_of(record_of(tenant_id, seal.seq, kind, entry)):
        return None
    if COMMITMENT in entry:
        commitment = entry[COMMITMENT]
        return Erasure(kind, entry_id, bytes.fromhex(commitment)) if commitment else None
    if seal is None:
        return None
    rest = rest_of(without_texts(kind, entry))
    return Erasure(kind, entry_id, None, seal.seq, seal.leaf, rest)


def by_kind(erasures: Sequence[Erasure]) -> dict[EntryKind, list[Erasure]]:
    """The erasures of each kind of entry."""
    kinds: dict[EntryKind, list[Erasure]] = {}
    for erasure in erasures:
        kinds.setdefault(erasure.kind, []).append(erasure)
    return kinds
