"""Checkpoints and the tree below them: how the Merkle tree over a chain is stored in chunks.

The tree has a leaf for each entry. What is stored are the leaves, with their seals, and for every
whole chunk of 1 024 of them its root, which is a node of the tree. So a checkpoint or a proof at
any size is made from about size/1 024 roots and less than one chunk of leaves: for a million
entries some 2 000 rows, where all leaves would be a million.
"""

from dataclasses import dataclass

from gridtally.kernel.chain import Checkpoint
from gridtally.kernel.merkle import Frontier, tree

CHUNK_ENTRIES = 1_024
"""A power of two, so that the roots of whole chunks are nodes of the tree."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of `size` leaves: the roots of its whole chunks, and the leaves after them."""

    size: int
    chunks: list[bytes]
    rest: list[bytes]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing of what `size` leaves need."""
        return divmod(self.size, CHUNK_ENTRIES) == (len(self.chunks), len(self.rest))

    @property
    def frontier(self) -> Frontier:
        """Its peaks: those over chunks, then those over the rest."""
        return Frontier(self.size, (*tree(self.chunks).peaks, *tree(self.rest).peaks))

    @property
    def nodes(self) -> list[bytes]:
        """The roots of its chunks, the last of which may not be whole."""
        return [*self.chunks, *([tree(self.rest).root] if self.rest else [])]


def chunk_root(before: Checkpoint, leaf: bytes) -> bytes | None:
    """The root of the chunk that this leaf completes, or None where it completes none.

    The last peaks of the frontier before it are those of the unfinished chunk, one for each one in
    the number of its leaves written in binary; with the leaf they become a single one.
    """
    within = before.size % CHUNK_ENTRIES
    if within + 1 != CHUNK_ENTRIES:
        return None
    return Frontier(within, before.frontier.peaks[-within.bit_count() :]).append(leaf).root
