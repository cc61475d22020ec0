"""The hash chain and the Merkle tree: known answers, and every tampering shows."""

import json
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.chain import (
    Checkpoint,
    Tampered,
    canonical,
    export_header,
    export_line,
    export_trailer,
    leaf_of,
    record_of,
    verify_export,
    verify_proof,
)
from gridtally.kernel.merkle import (
    Frontier,
    inclusion_path,
    leaf_hash,
    root_of_leaves,
    root_of_path,
    tree,
)

# The vectors of Google's certificate-transparency, merkletree/merkle_tree_test
VECTORS = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
]
TAMPERINGS = 1_000


def test_the_roots_are_those_of_certificate_transparency():
    grown = Frontier()
    for content, root in VECTORS:
        grown = grown.append(leaf_hash(bytes.fromhex(content)))
        assert grown.root.hex() == root
    assert Frontier().root.hex().startswith("e3b0c44298fc1c14")


@given(st.integers(1, 40), st.data())
def test_every_leaf_has_a_proof_and_no_other_leaf_passes_with_it(size, data):
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, leaves)
    root = tree(leaves).root
    assert root_of_path(leaves[index], index, size, path) == root
    assert root_of_leaves(leaves) == root
    assert root_of_leaves(leaves[:index]) == tree(leaves[:index]).root
    assert root_of_path(leaf_hash(b"other"), index, size, path) != root
    for wrong in (path[1:], [*path, root]):
        if wrong != path:
            with pytest.raises(ValueError, match="too"):
                root_of_path(leaves[index], index, size, wrong)


@given(st.integers(1, 60), st.sampled_from([1, 2, 4, 8]))
def test_a_tree_over_whole_subtrees_is_the_tree_over_their_leaves(size, width):
    """What lets a proof read one chunk of leaves and the roots of the others."""
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    chunks = [tree(leaves[at : at + width]).root for at in range(0, size, width)]
    assert tree(chunks).root == tree(leaves).root
    for index in range(size):
        chunk = leaves[index // width * width :][:width]
        path = inclusion_path(index % width, chunk) + inclusion_path(index // width, chunks)
        assert path == inclusion_path(index, leaves)


def sealed(count, tenant="acme", after=0):
    """Entries, the lines of their export from `after` on, and the checkpoint at each size."""
    states = [Checkpoint.start(tenant)]
    lines = []
    for seq in range(1, count + 1):
        record = record_of(tenant, seq, "transaction", {"id": f"é{seq}", "total": f"{seq}.00"})
        leaf = leaf_of(record)
        states.append(states[-1].extend(leaf))
        lines.append(export_line(record, leaf, states[-1].head))
    return [
        export_header(tenant, after, count),
        *lines[after:],
        export_trailer(states[-1]),
    ], states


@pytest.mark.parametrize("count", [0, 1, 2, 7, 64, 100])
def test_an_export_leads_to_its_checkpoint(count):
    lines, states = sealed(count)
    assert verify_export(lines) == states[-1]
    for earlier in states:
        assert verify_export(lines, earlier) == states[-1]
        stored = Checkpoint.from_json(json.loads(json.dumps(earlier.to_json())))
        assert verify_export(sealed(count, after=stored.size)[0], stored) == states[-1]


def flip(dice, lines):
    at = dice.randrange(len(lines))
    line = bytearray(lines[at])
    line[dice.randrange(len(line))] ^= 1 << dice.randrange(8)
    return [*lines[:at], bytes(line), *lines[at + 1 :]]


def delete(dice, lines):
    at = dice.randrange(len(lines))
    return lines[:at] + lines[at + 1 :]


def swap(dice, lines):
    one, other = sorted(dice.sample(range(len(lines)), 2))
    swapped = list(lines)
    swapped[one], swapped[other] = lines[other], lines[one]
    return swapped


def truncate(dice, lines):
    whole = b"".join(lines)
    return whole[: dice.randrange(len(whole))].splitlines(keepends=True)


def repeat(dice, lines):
    at = dice.randrange(len(lines))
    return [*lines[: at + 1], *lines[at:]]


CLUMSY = [flip, delete, swap, truncate, repeat]


@pytest.mark.parametrize("seed", range(10))
def test_every_tampering_of_an_export_is_found(seed):
    dice = random.Random(seed)
    lines, _ = sealed(dice.randrange(3, 60))
    for _ in range(TAMPERINGS // 10):
        with pytest.raises(Tampered, match="line"):
            verify_export(dice.choice(CLUMSY)(dice, lines))


def forged(dice, count, upto):
    """An export in which an entry up to `upto` is another and every hash was made anew."""
    at = dice.randrange(1, upto + 1)
    state, lines = Checkpoint.start("acme"), []
    seqs = [seq for seq in range(1, count + 1) if seq != at or dice.random() < 0.5]
    for position, seq in enumerate(seqs, start=1):
        total = f"{seq}.01" if seq == at else f"{seq}.00"
        record = record_of("acme", position, "transaction", {"id": f"é{seq}", "total": total})
        state = state.extend(leaf_of(record))
        lines.append(export_line(record, leaf_of(record), state.head))
    return [export_header("acme", 0, len(lines)), *lines, export_trailer(state)]


def test_history_that_was_sealed_again_is_found_by_an_earlier_checkpoint():
    dice = random.Random(11)
    for _ in range(TAMPERINGS // 10):
        count = dice.randrange(2, 60)
        states = sealed(count)[1]
        stored = states[dice.randrange(1, count + 1)]
        lines = forged(dice, count, stored.size)
        verify_export(lines)  # it is consistent in itself
        with pytest.raises(Tampered, match="checkpoint"):
            verify_export(lines, stored)


HEADER = {"after": 0, "format": "gridtally-ledger-export-1", "size": 0, "tenant": "acme"}
OTHERS = {
    "nothing at all": ([], None, "no export"),
    "another file": ([b'{"hello":1}\n'], None, "no export"),
    "another form": ([canonical(HEADER | {"format": "x"}) + b"\n"], None, "no export"),
    "no JSON": ([b"\xff\n"], None, "not written"),
    "deep JSON": ([b"[" * 100_000 + b"\n"], None, "not written"),
    "another tenant's checkpoint": (sealed(3)[0], sealed(3, "other")[1][2], "another tenant"),
    "a checkpoint from later": (sealed(3)[0], sealed(4)[1][4], "outside"),
    "a part without its checkpoint": (sealed(4, after=2)[0], None, "is needed"),
    "a part with a later checkpoint": (sealed(4, after=2)[0], sealed(4)[1][3], "is needed"),
    "another beginning": (
        sealed(3)[0], Checkpoint("acme", bytes(32), Frontier()), "of the beginning",
    ),
    "an entry that is gone": (
        [
            export_header("acme", 0, 1),
            export_line(record_of("acme", 1, "transaction", None), bytes(32), bytes(32)),
        ],
        None, "is gone",
    ),
    "a line after the end": ([*sealed(1)[0], b"{}\n"], None, "follows the end"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "earlier", "why"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_whole_export_is_refused(lines, earlier, why):
    with pytest.raises(Tampered, match=why):
        verify_export(lines, earlier)


def proof_of(seq, count):
    records = [record_of("acme", n, "transaction", {"id": n}) for n in range(1, count + 1)]
    leaves = [leaf_of(record) for record in records]
    state = Checkpoint.start("acme")
    for leaf in leaves:
        state = state.extend(leaf)
    path = [step.hex() for step in inclusion_path(seq - 1, leaves)]
    return {"record": records[seq - 1], "size": count, "path": path}, state


def test_a_proof_of_inclusion_holds_for_its_entry_and_checkpoint_alone():
    proof, checkpoint = proof_of(5, 11)
    assert verify_proof(proof, checkpoint)["entry"] == {"id": 5}
    changed = partial(dict, **proof)
    for wrong in (
        changed(record=proof["record"] | {"entry": {"id": 6}}),
        changed(record=proof["record"] | {"seq": 6}),
        changed(record=proof["record"] | {"seq": 12}),
        changed(path=proof["path"][:-1]),
        changed(path=[*proof["path"][:-1], "0" * 64]),
        changed(path=["zz" * 32]),
        changed(size=10),
        {"record": 1},
    ):
        with pytest.raises(Tampered):
            verify_proof(wrong, checkpoint)
    with pytest.raises(Tampered, match="11 entries"):
        verify_proof(proof, proof_of(5, 12)[1])


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        Checkpoint.start("acme").to_json() | {"size": 1},
        Checkpoint.start("acme").to_json() | {"root": "00" * 32},
        Checkpoint.start("acme").to_json() | {"head": "00"},
        Checkpoint.start("acme").to_json() | {"frontier": ["00"], "size": 1},
    ],
)
def test_what_is_no_checkpoint_is_refused(wrong):
    with pytest.raises(ValueError, match=r"checkpoint|hash|peaks"):
        Checkpoint.from_json(wrong)
