"""Tamper evidence: canonical bytes, a hash chain over entries, checkpoints and their verification.

Owns what the ledger seals its entries with and what a verifier repeats from an export alone.
Refuses floats: an entry holds texts, whole numbers, nulls, and lists and objects of them. What it
proves is that entries are those that a checkpoint was made of; a checkpoint must be stored where
whoever can write the database cannot.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gridtally.kernel.merkle import HASH_BYTES, Frontier, leaf_hash, root_of_path

FORMAT = "gridtally-ledger-export-1"
SHOWN_CHARS_MAX = 80
_LINK, _COMMITMENT, _GENESIS = b"\x02", b"\x03", b"gridtally chain 1\x1f"
ERASURE = "erasure"
"""The kind of the entries that say of what the texts were erased."""
ERASED_UNPROVEN_MAX = 100_000
"""Entries whose content differs and whose erasure has not come yet, while an export is read."""
Record = Mapping[str, Any]
"""A JSON object."""


class Tampered(Exception):
    """An export or a proof is not what was sealed; the text names the line that shows it."""


def canonical(record: Any) -> bytes:
    """The one spelling of a record or a part of one: JSON with sorted names, no spaces, UTF-8."""
    text = json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def record_of(tenant_id: str, seq: int, kind: str, entry: Record | None) -> dict[str, Any]:
    """What is hashed of a tenant's entry: its content, its kind and its number, from 1."""
    return {"entry": entry, "kind": kind, "seq": seq, "tenant": tenant_id}


def leaf_of(record: Record) -> bytes:
    """The leaf of a record in the tree."""
    return leaf_hash(canonical(record))


def commitment_of(salt: bytes, texts: Record) -> bytes:
    """What stands in an entry for texts that may name people, which lie beside the chain with their
    salt: whoever has both proves the texts, and without the salt nobody can try out what they
    were."""
    return hashlib.sha256(_COMMITMENT + salt + canonical(texts)).digest()


def rest_of(entry: Record) -> bytes:
    """The hash of what is left of an entry that was sealed with its texts, which are erased."""
    return hashlib.sha256(canonical(entry)).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What to store elsewhere so that no entry up to `size` can be changed unnoticed.

    `head` is the chain's hash there, `frontier` the tree.
    """

    tenant_id: str
    head: bytes
    frontier: Frontier

    @property
    def size(self) -> int:
        """The number of entries that it is for."""
        return self.frontier.size

    @classmethod
    def start(cls, tenant_id: str) -> "Checkpoint":
        """Before any entry."""
        return cls(tenant_id, hashlib.sha256(_GENESIS + tenant_id.encode()).digest(), Frontier())

    def extend(self, leaf: bytes) -> "Checkpoint":
        """After one more entry."""
        head = hashlib.sha256(_LINK + self.head + leaf).digest()
        return Checkpoint(self.tenant_id, head, self.frontier.append(leaf))

    def to_json(self) -> dict[str, Any]:
        """As it is stored and exported; hashes in hexadecimal."""
        return {
            "frontier": [peak.hex() for peak in self.frontier.peaks],
            "head": self.head.hex(),
            "root": self.frontier.root.hex(),
            "size": self.size,
            "tenant": self.tenant_id,
        }

    @classmethod
    def from_json(cls, value: Any) -> "Checkpoint":
        """From what `to_json` made; ValueError for anything that contradicts itself."""
        match value:
            case {
                "frontier": [*peaks], "head": str(head), "root": str(root), "size": int(size),
                "tenant": str(tenant_id),
            }:  # fmt: skip
                frontier = Frontier(size, tuple(_hash(peak) for peak in peaks))
                if frontier.root != _hash(root):
                    raise ValueError("the checkpoint's root is not that of its frontier")
                return cls(tenant_id, _hash(head), frontier)
        raise ValueError("this is no checkpoint: it has frontier, head, root, size and tenant")


def _hash(text: object) -> bytes:
    if not isinstance(text, str) or len(text) != 2 * HASH_BYTES:
        raise ValueError(f"a hash has {2 * HASH_BYTES} hexadecimal digits")
    return bytes.fromhex(text)


def export_header(tenant_id: str, after: int, size: int) -> bytes:
    """The first line: the entries from `after` + 1 up to `size` follow."""
    header = {"after": after, "format": FORMAT, "size": size, "tenant": tenant_id}
    return canonical(header) + b"\n"


def export_line(record: Record, leaf: bytes, head: bytes) -> bytes:
    """An entry's line: its record, its leaf and the chain's hash after it, as they were sealed."""
    return canonical({**record, "head": head.hex(), "leaf": leaf.hex()}) + b"\n"


def export_trailer(end: Checkpoint) -> bytes:
    """The last line: the checkpoint that the entries lead to."""
    return canonical({"checkpoint": end.to_json()}) + b"\n"


def verify_export(lines: Iterable[bytes], earlier: Checkpoint | None = None) -> Checkpoint:
    """Repeat every hash of an export; the checkpoint that it leads to.

    `earlier` was stored before: the export must pass through it, or begin where it ends.
    Tampered, naming the line, where a line is missing, added, moved or different in any byte. An
    entry that was sealed with texts that were erased since may differ, if it is what its erasure,
    a later entry, says is left.
    """
    numbered = _parsed(lines)
    number, header = next(numbered, (1, {}))
    state = _start(header, earlier)
    unproven: dict[int, _Unproven] = {}
    if earlier is not None and not state.size <= earlier.size <= header["size"]:
        raise Tampered(f"line 1: the checkpoint at {earlier.size} lies outside of this export")
    trailer: Record | None = None
    for number, line in numbered:
        if trailer is not None:
            raise Tampered(f"line {number}: something follows the end")
        if "checkpoint" in line:
            trailer = line
            continue
        state = _follow(state, line, number, unproven)
        if earlier is not None and state.size == earlier.size and state != earlier:
            raise Tampered(f"line {number}: the entries up to here are not those of the checkpoint")
    if trailer is None:
        raise Tampered(f"line {number}: it ends without its checkpoint")
    if trailer != {"checkpoint": state.to_json()} or state.size != header["size"]:
        raise Tampered(f"line {number}: the entries do not lead to the checkpoint at the end")
    for seq, other in unproven.items():
        raise Tampered(f"line {other.number}: entry {seq} is not what was sealed")
    return state


@dataclass(frozen=True, slots=True)
class _Unproven:
    """An entry whose content is not what was sealed, until its erasure says what is left."""

    number: int
    leaf: str
    rest: str


def _parsed(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line as an object; whoever writes it in any other way has changed it."""
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
            spelled = isinstance(value, dict) and canonical(value) + b"\n" == line
        except (ValueError, RecursionError):
            spelled = False
        if not spelled:
            raise Tampered(f"line {number}: it is not written as an export writes it")
        yield number, value


def _start(header: Record, earlier: Checkpoint | None) -> Checkpoint:
    match header:
        case {"after": int(after), "format": str(form), "size": int(), "tenant": str(tenant_id)}:
            if form != FORMAT or len(header) > len(("after", "format", "size", "tenant")):
                raise Tampered(f"line 1: this is no export of the form {FORMAT}")
        case _:
            raise Tampered(f"line 1: this is no export of the form {FORMAT}")
    if earlier is not None and earlier.tenant_id != tenant_id:
        raise Tampered("line 1: the checkpoint is another tenant's")
    begin = Checkpoint.start(tenant_id) if after == 0 else earlier
    if begin is None or begin.size != after:
        raise Tampered(f"line 1: it begins after entry {after}: the checkpoint there is needed")
    if earlier is not None and earlier.size == after and earlier != begin:
        raise Tampered("line 1: the checkpoint is not that of the beginning")
    return begin


def _follow(
    state: Checkpoint, line: Record, number: int, unproven: dict[int, _Unproven]
) -> Checkpoint:
    """The state after a line; its own hashes must be those of its content and its number, or what
    an erasure will have to say of it."""
    sealed = {name: line.get(name) for name in ("entry", "kind", "seq", "tenant")}
    expected = {"seq": state.size + 1, "tenant": state.tenant_id}
    if not expected.items() <= sealed.items() or len(line) != len(sealed) + len(("head", "leaf")):
        raise Tampered(f"line {number}: entry {state.size + 1} should stand here")
    if sealed["entry"] is None:
        raise Tampered(f"line {number}: entry {state.size + 1} is gone")
    leaf = leaf_of(sealed)
    if line.get("leaf") != leaf.hex():
        try:
            leaf = _hash(line.get("leaf"))
        except ValueError:
            raise Tampered(f"line {number}: a hash has hexadecimal digits") from None
        other = _Unproven(number, leaf.hex(), rest_of(sealed["entry"]).hex())
        unproven[state.size + 1] = other
        if sealed["kind"] == ERASURE or len(unproven) > ERASED_UNPROVEN_MAX:
            raise Tampered(f"line {number}: entry {state.size + 1} is not what was sealed")
    elif sealed["kind"] == ERASURE:
        _prove(unproven, sealed["entry"])
    state = state.extend(leaf)
    if line.get("head") != state.head.hex():
        raise Tampered(f"line {number}: entry {state.size} does not follow from those before")
    return state


def _prove(unproven: dict[int, _Unproven], erasure: Record) -> None:
    """Take out the entry that an erasure is of, where it says what is left of it."""
    seq = erasure.get("seq")
    other = unproven.get(seq) if isinstance(seq, int) else None
    if other and (other.leaf, other.rest) == (erasure.get("leaf"), erasure.get("rest")):
        del unproven[erasure["seq"]]


def verify_proof(proof: Record, checkpoint: Checkpoint) -> Record:
    """The record that a proof of inclusion proves to be among a checkpoint's entries.

    `proof` has `record`, `size` and `path` (hashes in hexadecimal, the nearest first). Tampered
    where it does not lead to the checkpoint's root.
    """
    match proof:
        case {
            "path": [*path],
            "record": {"seq": int(seq), "tenant": str(tenant_id)} as record,
            "size": int(size),
        }:
            pass
        case _:
            raise Tampered("this is no proof: it has record, size and path")
    if (size, tenant_id) != (checkpoint.size, checkpoint.tenant_id):
        raise Tampered(f"the proof is for {size} entries of {tenant_id[:SHOWN_CHARS_MAX]!r}")
    try:
        root = root_of_path(leaf_of(record), seq - 1, size, [_hash(step) for step in path])
    except ValueError as wrong:
        raise Tampered(f"the proof cannot be: {wrong}") from None
    if root != checkpoint.frontier.root:
        raise Tampered("the proof does not lead to the checkpoint's root")
    return dict(record)
