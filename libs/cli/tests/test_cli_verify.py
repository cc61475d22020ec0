"""`gridtally verify ledger` and `verify proof`, without a server."""

import json

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app
from gridtally.kernel.chain import (
    Checkpoint,
    export_header,
    export_line,
    export_trailer,
    leaf_of,
    record_of,
)
from gridtally.kernel.merkle import inclusion_path

COUNT = 5


def run(*words):
    ran = CliRunner().invoke(app, ["verify", *map(str, words)])
    return ran.exit_code, " ".join(ran.output.split()), ran.exception


def sealed(total="1.00"):
    states, lines, leaves = [Checkpoint.start("acme")], [], []
    for seq in range(1, COUNT + 1):
        record = record_of("acme", seq, "transaction", {"id": f"[/{seq}]", "total": total})
        leaves.append(leaf_of(record))
        states.append(states[-1].extend(leaves[-1]))
        lines.append(export_line(record, leaves[-1], states[-1].head))
    whole = [export_header("acme", 0, COUNT), *lines, export_trailer(states[-1])]
    return b"".join(whole), states, leaves


@pytest.fixture
def files(tmp_path):
    export, states, leaves = sealed()
    proof = {
        "record": record_of("acme", 2, "transaction", {"id": "[/2]", "total": "1.00"}),
        "size": COUNT,
        "path": [step.hex() for step in inclusion_path(1, leaves)],
        "checkpoint": states[-1].to_json(),
    }
    (tmp_path / "export").write_bytes(export)
    (tmp_path / "forged").write_bytes(sealed("1.01")[0])
    (tmp_path / "flipped").write_bytes(export.replace(b"1.00", b"1.01", 1))
    (tmp_path / "checkpoint").write_text(json.dumps(states[3].to_json()))
    (tmp_path / "last").write_text(json.dumps(states[-1].to_json()))
    (tmp_path / "proof").write_text(json.dumps(proof))
    (tmp_path / "wrong").write_text(json.dumps(proof | {"path": proof["path"][::-1]}))
    (tmp_path / "empty").write_text("")
    twice = json.dumps(proof).replace('"total": ', '"total": "9.00", "total": ')
    (tmp_path / "twice").write_text(twice)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "checkpoint", "status", "message"),
    [
        ("export", None, 0, "5 entries"),
        ("export", "checkpoint", 0, "at 3 that of the"),
        ("flipped", None, 1, "line 2: entry 1 is not what was sealed"),
        ("forged", None, 0, "5 entries"),  # consistent in itself: what a checkpoint is there for
        ("forged", "checkpoint", 1, "line 4: the entries up to here are"),
        ("empty", None, 1, "no export"),
    ],
)
def test_an_export_is_checked_without_a_server(files, name, checkpoint, status, message):
    given = ["--checkpoint", files / checkpoint] if checkpoint else []
    code, output, _ = run("ledger", "--export", files / name, *given)
    assert (code, message.split()[0] in output) == (status, True), output
    assert ("BREACH" in output) == bool(status)


def test_the_checkpoint_that_was_reached_is_kept_for_the_next_time(files):
    assert run("ledger", "--export", files / "export", "--save", files / "new")[0] == 0
    assert Checkpoint.from_json(json.loads((files / "new").read_text())).size == COUNT
    assert run("ledger", "--export", files / "flipped", "--save", files / "none")[0] == 1
    assert not (files / "none").exists()


@pytest.mark.parametrize(
    ("name", "checkpoint", "status"),
    [
        ("proof", None, 0),
        ("proof", "last", 0),
        ("proof", "checkpoint", 1),
        ("wrong", "last", 1),
        ("twice", "last", 1),  # a reader would see the first total, the proof is of the second
    ],
)
def test_a_proof_is_checked_without_a_server(files, name, checkpoint, status):
    given = ["--checkpoint", files / checkpoint] if checkpoint else []
    assert run("proof", files / name, *given)[0] == status


@pytest.mark.parametrize("wrong", ["empty", "export", "missing", "proof"])
def test_what_is_no_checkpoint_is_reported_in_one_sentence(files, wrong):
    code, _, failure = run("ledger", "--export", files / "export", "--checkpoint", files / wrong)
    assert code == 1
    assert str(files / wrong) in str(failure)
