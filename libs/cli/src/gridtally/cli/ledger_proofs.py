"""Whether the ledger is what it was: its export, repeated hash by hash, against a checkpoint.

Owns how an export is fetched, how checkpoints are read and saved, and how each answer becomes a
finding. The hashes are `gridtally.kernel.chain`'s: neither the service nor its database is trusted.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gridtally.cli.api import Api
from gridtally.cli.errors import CommandError
from gridtally.cli.reconciliation import Finding
from gridtally.files.json_text import read_json
from gridtally.kernel.chain import Checkpoint, Tampered, verify_export, verify_proof

EXPORT = "/v1/ledger/export"
KINDS = (
    "transactions", "readings", "definitions", "meter_ends", "void_notes", "properties",
    "property_ends", "meters", "erasures",
)  # fmt: skip
JSON_BYTES_MAX = 64 * 1024 * 1024
"""A proof or a checkpoint is small; what is larger is none."""


def check_file(path: Path, earlier: Checkpoint | None) -> tuple[Finding, Checkpoint | None]:
    """The finding for an export in a file, and the checkpoint that it leads to."""
    try:
        with path.open("rb") as lines:
            return _checked(lines, earlier)
    except OSError as failure:
        raise CommandError(f"{path}: {failure.strerror}") from failure


async def check_online(
    api: Api, earlier: Checkpoint | None, export: Path
) -> tuple[list[Finding], Checkpoint | None]:
    """What there is to find in the running ledger, whose export is written to a file on the way."""
    with export.open("wb") as written:
        async for chunk in api.stream("ledger", EXPORT):
            written.write(chunk)
    finding, reached = check_file(export, earlier)
    status = await api.get("ledger", "/v1/ledger/status")
    return [finding, *_of_status(status)], reached


def _of_status(status: dict[str, Any]) -> list[Finding]:
    """Whether all that there is has its seal, or waits for it no longer than it should."""
    entries = sum(status.get(kind, 0) for kind in KINDS)
    by_state = f"{status['sealed']} sealed, {status['unsealed']} waiting"
    since = status["unsealed_since"]
    waiting = f"{status['unsealed']} since {since}" if since else "none waits"
    return [
        Finding(
            "entries = sealed + waiting for their seal", str(entries), by_state, status["whole"]
        ),
        Finding("what waits for its seal came just now", waiting, "", status["in_time"]),
    ]


def check_proof(path: Path, earlier: Checkpoint | None) -> Finding:
    """The finding for a proof of inclusion; without a checkpoint of one's own, the proof's."""
    proof = read_document(path)
    what = "the entry is among those of the checkpoint"
    try:
        checkpoint = earlier or _checkpoint(proof.get("checkpoint"), path)
        record = verify_proof(proof, checkpoint)
    except Tampered as tampered:
        return Finding(what, str(tampered), "", holds=False)
    left = f"{record.get('kind')} {record['seq']} of {record['tenant']}"
    return Finding(what, left, _describe(checkpoint), holds=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint that was saved; CommandError where the file holds none."""
    return _checkpoint(read_document(path), path)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Save a checkpoint; CommandError where the file cannot be written."""
    try:
        path.write_text(json.dumps(checkpoint.to_json(), indent=2) + "\n")
    except OSError as failure:
        raise CommandError(f"{path}: {failure.strerror}") from failure


def _checked(
    lines: Iterable[bytes], earlier: Checkpoint | None
) -> tuple[Finding, Checkpoint | None]:
    what = "every entry is what was sealed"
    try:
        reached = verify_export(lines, earlier)
    except Tampered as tampered:
        return Finding(
            what, str(tampered), _describe(earlier) if earlier else "", holds=False
        ), None
    against = f"and at {earlier.size} that of the checkpoint" if earlier else "no earlier one"
    return Finding(what, _describe(reached), against, holds=True), reached


def _describe(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.size} entries, root {checkpoint.frontier.root.hex()[:16]}…"


def _checkpoint(value: Any, path: Path) -> Checkpoint:
    try:
        return Checkpoint.from_json(value)
    except ValueError as wrong:
        raise CommandError(f"{path}: {wrong}") from None


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object of a file; CommandError where it holds none."""
    try:
        if path.stat().st_size > JSON_BYTES_MAX:
            raise CommandError(f"{path} is too large")
        value = read_json(path.read_bytes())
    except OSError as failure:
        raise CommandError(f"{path}: {failure.strerror}") from failure
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} holds no JSON: {error}") from None
    except ValueError as wrong:
        raise CommandError(f"{path}: {wrong}") from None
    if not isinstance(value, dict):
        raise CommandError(f"{path} holds no JSON object")
    return value
