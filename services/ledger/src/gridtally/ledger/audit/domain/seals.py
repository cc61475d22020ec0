"""Seals: the place of each entry in its tenant's chain."""

from dataclasses import dataclass
from uuid import UUID

from gridtally.ledger.audit.domain.entries import EntryKind

SEALED_WITHIN_S = 60
"""An entry that has waited longer for its seal is late: somebody has to see why."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The place of an entry in the chain.

    seq   from 1, without gaps
    leaf  SHA-256 of the entry's record
    head  the chain's hash after it: of the head before and the leaf
    """

    seq: int
    kind: EntryKind
    entry_id: UUID
    leaf: bytes
    head: bytes
