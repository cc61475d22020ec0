"""The verification of a proof: its hashes repeated, and its bill computed again from what it holds.

Trusts nothing of a proof but the root that somebody has from elsewhere: from the invoice itself, or
from the ledger's sealed entry.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridtally.kernel.chain import Tampered
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import plain
from gridtally.rating.line_documents import quality_document
from gridtally.rating.proof.contents import Basis, basis_of, text_of
from gridtally.rating.proof.leaves import FORMAT, LINE_FIELDS, LISTS, SECTIONS, leaves_of, root_of
from gridtally.rating.quality import quality_of_all
from gridtally.rating.recalculation import rate_again
from gridtally.rating.state import state_document

FAULTS_SHOWN_MAX = 3
HASH_CHARS = 64
_PARTS = {"format", "root", "hashes", *SECTIONS}


@dataclass(frozen=True, slots=True)
class ProvenInvoice:
    """What a proof that holds proves: the invoice's number and amounts, and its root, if any."""

    id: str
    number: str
    currency: str
    total: str
    lines: int
    root: str | None


def verify_invoice(
    document: Any, known_root: str | None = None, *, may_lack_root: bool = False
) -> ProvenInvoice:
    """What the proof proves; `Tampered`, with what was tampered with, where it does not hold.

    `known_root` is the invoice's as it is known from elsewhere: without it a proof is only held to
    its own root. An invoice from before there were roots has none, which is refused unless it
    `may_lack_root`: then hashes and bill are checked, and nothing vouches for the hashes.
    """
    _check_form(document)
    _check_hashes(document)
    root = document["root"]
    if root is None and not may_lack_root:
        raise Tampered("the proof has no root: it was taken out, or the invoice was issued before")
    if known_root is not None and root != known_root:
        raise Tampered(f"the root is {root}, the invoice's is {known_root}")
    try:
        faults = list(_faults_of_bill(document, basis_of(document)))
        invoice = document["invoice"]
        proven = ProvenInvoice(
            id=invoice["id"],
            number=invoice["number"],
            currency=invoice["currency"],
            total=invoice["total"],
            lines=len(document["lines"]),
            root=root,
        )
    except Rejected as refused:
        raise Tampered(f"no bill can be made of it: {refused.detail}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
        raise Tampered(f"it cannot be read: {type(wrong).__name__} {wrong}") from None
    if faults:
        raise Tampered(_shown(faults))
    return proven


def _check_form(document: Any) -> None:
    if not isinstance(document, dict):
        raise Tampered("this is no proof: a JSON object is expected")
    if document.get("format") != FORMAT:
        raise Tampered(f"/format is not {FORMAT}")
    if differing := sorted(document.keys() ^ _PARTS):
        wrong = [
            f"/{name[:40]} {'was removed' if name in _PARTS else 'was added'}" for name in differing
        ]
        raise Tampered(_shown(wrong))
    for name in sorted(LISTS):
        if not isinstance(document[name], list):
            raise Tampered(f"/{name} is no list any more")
    if not isinstance(document["hashes"], dict):
        raise Tampered("/hashes is no object any more")


# Contents, hashes and root are three statements of one thing. Where two of them agree, the third
# was tampered with; else what differs is named.
def _check_hashes(document: Mapping[str, Any]) -> None:
    try:
        leaves = leaves_of(document)
    except (TypeError, ValueError, RecursionError) as impossible:
        raise Tampered(f"it holds what no proof holds: {impossible}") from None
    listed, root = document["hashes"], document["root"]
    own = {path: leaf.hex() for path, leaf in leaves.items()}
    changed = [path for path in {**own, **listed} if own.get(path) != listed.get(path)]
    own_root = root_of(list(leaves.values()))
    if root is None:
        if changed:
            raise Tampered(_shown([_what_changed(path, own, listed) for path in changed]))
        return
    if own_root == root:
        if changed:
            raise Tampered(
                _shown([f"/hashes{path} is not that of its content" for path in changed])
            )
        return
    faults = [_what_changed(path, own, listed) for path in changed]
    if _root_of_listed(listed) != root:
        faults.insert(0, "/root is not that of what the proof holds")
    raise Tampered(_shown(faults))


def _what_changed(path: str, own: Mapping[str, str], listed: Mapping[str, Any]) -> str:
    if path not in own:
        return f"{path[:80]} was removed"
    return f"{path} was changed" if path in listed else f"{path} was added"


def _root_of_listed(listed: Mapping[str, Any]) -> str | None:
    """The root of the hashes that a proof lists; None where they are no hashes of pieces."""
    try:
        in_order = sorted(listed, key=_order_of)
        return root_of([bytes.fromhex(listed[path]) for path in in_order])
    except (TypeError, ValueError):
        return None


def _order_of(path: str) -> tuple[int, int]:
    _, section, *index = path.split("/")
    return SECTIONS.index(section), int(index[0]) if index else 0


def _faults_of_bill(document: Mapping[str, Any], basis: Basis) -> Iterator[str]:
    """Where the bill that the readings and the tariff make differs from what was issued."""
    invoice, readings = document["invoice"], document["readings"]
    bill = rate_again(basis.bill)
    if basis.digest != readings["digest"]:
        yield "/readings/digest is not that of /series"
    made = [text_of(line) for line in bill.lines]
    if len(made) != len(document["lines"]):
        yield f"/lines has {len(document['lines'])} lines, the readings make {len(made)}"
    for index, (line, own) in enumerate(zip(document["lines"], made, strict=False)):
        yield from _faults_of_line(f"/lines/{index}", line, own)
    totals = {"net": bill.net, "tax": bill.tax, "total": bill.total}
    computed: dict[str, Any] = {name: plain(amount) for name, amount in totals.items()}
    computed["currency"] = bill.currency
    if invoice["quality"] is not None:
        computed["quality"] = quality_document(quality_of_all(basis.bill.doubtful))
    for name, value in computed.items():
        if invoice[name] != value:
            yield f"/invoice/{name} is {_cut(invoice[name])}, the readings make {_cut(value)}"
    if document["state_after"] != state_document(bill.state):
        yield "/state_after is not what the bill carries forward"


def _faults_of_line(path: str, line: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    """Where a line differs; what was not noted of an old one is none of its faults."""
    if line.keys() != set(LINE_FIELDS):
        yield f"{path} has other fields than a line"
        return
    for name in LINE_FIELDS:
        if line[name] != own[name] and not (name == "quality" and line[name] is None):
            what = f"{path}/{name} ({_cut(line['component_id'])})"
            yield f"{what} is {_cut(line[name])}, the readings make {own[name]}"


def _cut(value: Any) -> str:
    return str(value)[:80]


def _shown(faults: Sequence[str]) -> str:
    more = len(faults) - FAULTS_SHOWN_MAX
    shown = "; ".join(faults[:FAULTS_SHOWN_MAX])
    return f"{shown}; and {more} more" if more > 0 else shown
