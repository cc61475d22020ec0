"""`gridtally verify invoice`, without a server: one line, and an exit status."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app
from gridtally.cli.errors import CommandError
from gridtally.kernel.chain import Checkpoint, leaf_of, record_of

PROOF = json.loads(
    (Path(__file__).parents[3] / "tests" / "golden" / "invoice_proof.json").read_text()
)
ROOT = PROOF["root"]


def run(*words):
    ran = CliRunner().invoke(app, ["verify", "invoice", *map(str, words)])
    return ran.exit_code, ran.output.splitlines(), ran.exception


@pytest.fixture
def file_of(tmp_path):
    """A file that holds a document as JSON."""

    def write(document, name="proof.json"):
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return path

    return write


def entry_of(root=ROOT, document_id=PROOF["invoice"]["id"]):
    """The ledger's proof of an entry, the only one, and the checkpoint that it leads to."""
    entry = {"document_id": document_id, "proof_root": root}
    record = record_of("acme", 1, "booking", entry)
    checkpoint = Checkpoint.start("acme").extend(leaf_of(record)).to_json()
    return {"record": record, "size": 1, "path": [], "checkpoint": checkpoint}, checkpoint


def test_a_proof_that_holds_is_one_line(file_of):
    code, (line,), _ = run(file_of(PROOF), "--root", ROOT.upper())
    lines, total = len(PROOF["lines"]), PROOF["invoice"]["total"]
    assert code == 0
    assert line == f"INV-2025-000007 holds: {lines} lines, {total} EUR, root {ROOT}"
    code, output, _ = run(file_of(PROOF), "--json")
    assert (code, json.loads("".join(output))["root"]) == (0, ROOT)


TAMPERED = [
    # what is changed, further arguments, the line
    ({"root": None}, [], "tampered with: the proof has no root"),
    ({"lines": PROOF["lines"][1:]}, [], "tampered with: /lines/0 was changed"),
    ({"lines": PROOF["lines"][:-1]}, [], "was removed"),
    ({"state_after": {}}, [], "tampered with: /state_after was changed"),
    ({}, ["--root", "0" * 64], "tampered with: the root is"),
]


@pytest.mark.parametrize(("changes", "more", "text"), TAMPERED)
def test_what_was_tampered_with_is_one_line_and_exit_status_1(file_of, changes, more, text):
    code, (line,), _ = run(file_of(PROOF | changes), *more)
    assert (code, text in line) == (1, True), line


def test_an_invoice_from_before_roots_is_taken_where_that_is_said(file_of):
    code, (line,), _ = run(file_of(PROOF | {"root": None}), "--without-root")
    assert (code, "no root vouches for" in line) == (0, True)


def test_the_root_is_held_to_the_ledgers_sealed_entry(file_of):
    entry, checkpoint = entry_of()
    proof, sealed = file_of(PROOF), file_of(entry, "entry.json")
    saved = file_of(checkpoint, "checkpoint.json")
    for given in ((), ("--checkpoint", saved)):
        code, (line,), _ = run(proof, "--entry", sealed, *given)
        assert (code, line.endswith("sealed as entry 1 of acme")) == (0, True), line
    forged = entry | {"record": entry_of(root="0" * 64)[0]["record"]}
    for wrong, text in (
        (entry_of(root="0" * 64)[0], "the root is not the one in the ledger's entry 1"),
        (entry_of(document_id="x")[0], "the ledger's entry 1 is not of invoice INV-2025-000007"),
        (forged, "does not lead to the checkpoint's root"),
    ):
        code, (line,), _ = run(proof, "--entry", file_of(wrong, "wrong.json"))
        assert (code, text in line) == (1, True), line


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1, "a": 2}', "{" * 100_000])
def test_what_is_no_json_object_is_reported_in_one_sentence(tmp_path, text):
    path = tmp_path / "proof.json"
    path.write_text(text)
    code, _, failure = run(path)
    assert (code, isinstance(failure, CommandError)) == (1, True)
    assert str(path) in str(failure)


def test_a_checkpoint_needs_an_entry(file_of):
    code, _, failure = run(file_of(PROOF), "--checkpoint", file_of({}, "checkpoint.json"))
    assert (code, "--entry" in str(failure)) == (1, True)
