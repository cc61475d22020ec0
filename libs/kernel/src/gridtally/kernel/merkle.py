"""The Merkle tree of RFC 6962, section 2.1: leaves, peaks, roots and proofs of inclusion.

Owns its arithmetic; SHA-256, with the prefixes that keep leaves and nodes apart. Proofs are checked
as in RFC 9162, section 2.1.3.2. Knows nothing of what the leaves stand for.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(content: bytes) -> bytes:
    """The leaf of some content."""
    return hashlib.sha256(_LEAF + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves as its peaks: the whole subtrees that it ends in, widest first.

    Enough to append to the tree and to know its root; as many peaks as `size` has ones in binary.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{len(self.peaks)} peaks do not make a tree of {self.size} leaves")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError(f"a peak is a hash of {HASH_BYTES} bytes")

    def append(self, leaf: bytes) -> "Frontier":
        """The tree with one more leaf."""
        peaks, rest, top = list(self.peaks), self.size, leaf
        while rest & 1:
            top = _node(peaks.pop(), top)
            rest >>= 1
        return Frontier(self.size + 1, (*peaks, top))

    @property
    def root(self) -> bytes:
        """The hash of the whole tree; SHA-256 of nothing for the empty one."""
        if not self.peaks:
            return hashlib.sha256().digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = _node(peak, root)
        return root


def tree(nodes: Iterable[bytes]) -> Frontier:
    """The tree over these leaves, or over subtrees of one size of which the last may be less."""
    frontier = Frontier()
    for node in nodes:
        frontier = frontier.append(node)
    return frontier


# Level by level: a last node without a sibling rises as it is, which is where RFC 6962 splits.
def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """The root of `tree(leaves)`, several times as quickly as by appending."""
    level = list(leaves)
    if not level:
        return Frontier().root
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [_node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level += odd
    return level[0]


def inclusion_path(index: int, nodes: Sequence[bytes]) -> list[bytes]:
    """The hashes that lead from the node at `index` (from 0) up to the root, the nearest first."""
    if not 0 <= index < len(nodes):
        raise ValueError(f"there is no node {index} among {len(nodes)}")
    path: list[bytes] = []
    first, end = 0, len(nodes)
    while end - first > 1:
        middle = first + (1 << ((end - first - 1).bit_length() - 1))
        if index < middle:
            path.append(tree(nodes[middle:end]).root)
            end = middle
        else:
            path.append(tree(nodes[first:middle]).root)
            first = middle
    return path[::-1]


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of the tree of `size` in which the path leads from the leaf at `index`.

    ValueError for a path that no such tree has.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} among {size}")
    # RFC 9162, 2.1.3.2: `node` and `last` are the numbers of this node and of the last one of its
    # level; at the right edge a level may lack a sibling, and the walk rises until there is one.
    root, node, last = leaf, index, size - 1
    for step in path:
        if last == 0:
            raise ValueError("the path is too long")
        if node & 1 or node == last:
            root = _node(step, root)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = _node(root, step)
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return root
