"""What is sealed, to the byte: a chain that was sealed once verifies for ever, by our verifier and
by the one in docs/chain.md."""

import hashlib
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from gridtally.kernel.chain import (
    Checkpoint,
    Tampered,
    export_header,
    export_line,
    export_trailer,
    leaf_of,
    record_of,
    verify_export,
)
from gridtally.ledger.audit.domain.entries import (
    ALLOCATION_FIELDS,
    ENTRY_KINDS,
    ITEM_FIELDS,
    OPTIONAL_FIELDS,
    POSTING_FIELDS,
    ROW_FIELDS,
    TEXT_FIELDS,
    TRANSACTION_FIELDS,
    TRANSACTION_OPTIONAL_FIELDS,
    booking_entry,
    row_entry,
    transaction_entry,
    without_texts,
)
from gridtally.ledger.audit.domain.erasures import erase
from gridtally.ledger.audit.domain.seals import Seal

DOCUMENT = (Path(__file__).parents[3] / "docs/chain.md").read_text()
GOLDEN = Path(__file__).with_name("chain.ndjson")
AT = datetime(2025, 4, 1, 8, 30, tzinfo=timezone(timedelta(hours=2)))
LATER = datetime(2025, 4, 2, 0, 0, 0, 5, tzinfo=UTC)


def id_(number):
    return UUID(int=number)


HEAD = {
    "id": id_(1), "kind": "invoice", "document_id": id_(2), "reference": "INV-é\n1", "memo": "",
    "reverses_id": None, "customer_id": id_(3), "currency": "EUR", "total": Decimal("119.00000000"),
    "occurred_at": AT, "recorded_at": LATER, "correlation_id": "c", "digest": bytes(range(32)),
}  # fmt: skip
COPIES = {name: HEAD[name] for name in ("customer_id", "currency", "occurred_at", "recorded_at")}
CLAIM = {
    "line": 1, "amount": Decimal("119.00000000"), "account": f"receivable:{id_(3)}",
    "account_class": "receivable", "account_customer_id": id_(3), "account_currency": "EUR",
    **COPIES,
}  # fmt: skip
EARNED = {
    "line": 2, "amount": Decimal("-119.00000000"), "account": "revenue:energy",
    "account_class": "revenue", "account_customer_id": None, "account_currency": "EUR", **COPIES,
}  # fmt: skip
ALLOCATED = {
    "line": 1, "item_id": id_(2), "source_id": id_(1), "amount": Decimal("0.00000001"), **COPIES,
}  # fmt: skip
ITEM = {
    "id": id_(2), "kind": "invoice", "number": "INV-é\n1", "total": Decimal("119.00000000"),
    "issued_at": AT, "due_on": date(2025, 4, 15), "allocated": Decimal("0.00000001"), **COPIES,
}  # fmt: skip
ROWS = {
    "reading": {
        "id": id_(4), "reading_id": id_(5), "version": 1, "supersedes_id": None, "meter_id": id_(6),
        "property_id": id_(7), "flow": "import", "kind": "exchange_final", "exchange_id": id_(8),
        "value": Decimal("108.25"), "digits": 9, "decimals": 3, "multiplier": Decimal(1),
        "rollover_kwh": None, "quality": "actual", "note": '"', "read_at": AT,
        "created_at": LATER, "correlation_id": "c",
    },
    "definition": {
        "id": id_(9), "meter_id": id_(10), "version": 2, "from_on": date(2025, 3, 1),
        "meter_ids": [id_(6), id_(11)], "flows": [None, "export"], "signs": [1, -1],
        "created_at": LATER,
    },
    "meter_end": {
        "id": id_(12), "meter_id": id_(6), "property_id": id_(7), "meter_type": "sub",
        "name": "Flat 2", "removed_at": LATER,
    },
    "void_note": {
        "invoice_id": id_(2), "credit_note_id": id_(13), "reference": "INV-1",
        "reason": "revision 2", "voided_at": AT, "recorded_at": LATER,
    },
    "property_end": {
        "id": id_(14), "property_id": id_(7), "name": "Oak Lane 1", "removed_at": LATER,
    },
    "property": {
        "id": id_(15), "property_id": id_(7), "version": 2, "name": "Oak Lane 1", "address": "",
        "zone": "Europe/Berlin", "region_id": None, "connected_kw": Decimal("11.5"),
        "parent_id": id_(16), "created_at": AT, "updated_at": LATER,
    },
    "meter": {
        "id": id_(17), "meter_id": id_(6), "version": 3, "property_id": id_(7), "meter_type": "sub",
        "name": "Flat 2", "channels": ["import"], "channel_minutes": [15],
        "channel_wh_max": [100_000], "registers": ["export", "import"], "register_digits": [9, 6],
        "register_decimals": [3, 0], "register_multipliers": [Decimal(1), Decimal("0.5")],
        "channel_starts_at": None, "channel_ends_at": None, "register_rollovers": None,
        "created_at": AT, "updated_at": LATER,
    },
}  # fmt: skip
SALT, LEFT = bytes(range(32, 64)), bytes(range(64, 96))
REFUND = {**HEAD, "kind": "refund", "reference": "Ms Roe", "memo": "é", "salt": SALT}
CHARGE = {**ITEM, "kind": "charge", "number": "Ms Roe"}
ERASED = {
    "id": id_(18),
    "kind": "reading",
    "entry_id": id_(4),
    "erased_at": LATER,
    "erased_by": "k",
}
BESIDE = [
    ("booking", booking_entry({**HEAD, "salt": SALT}, [CLAIM, EARNED], [], ITEM)),
    ("booking", booking_entry(REFUND, [CLAIM, EARNED], [], CHARGE)),
    *(
        (kind, row_entry(kind, {**row, "salt": SALT}))
        for kind, row in ROWS.items()
        if kind != "definition"
    ),
    ("erasure", row_entry("erasure", {**ERASED, "seq": None, "leaf": None, "rest": None})),
    ("erasure", row_entry("erasure", {**ERASED, "seq": 4, "leaf": SALT, "rest": LEFT})),
]
"""With their texts beside the chain."""
ENTRIES = [
    ("transaction", transaction_entry(HEAD, [CLAIM, EARNED], [ALLOCATED])),
    ("booking", booking_entry(HEAD, [CLAIM, EARNED], [], ITEM)),
    ("booking", booking_entry(HEAD, [CLAIM, EARNED], [ALLOCATED], None)),
    *((kind, row_entry(kind, row)) for kind, row in ROWS.items()),
    *BESIDE,
]


def export():
    state, lines = Checkpoint.start("acme"), []
    for seq, (kind, entry) in enumerate(ENTRIES, start=1):
        record = record_of("acme", seq, kind, entry)
        leaf = leaf_of(record)
        state = state.extend(leaf)
        lines.append(export_line(record, leaf, state.head))
    return b"".join([export_header("acme", 0, state.size), *lines, export_trailer(state)])


def test_every_kind_is_spelled_as_it_always_was():
    assert {kind for kind, _ in ENTRIES} == set(ENTRY_KINDS)
    assert export() == GOLDEN.read_bytes()


def run_document(content):
    """The script of the document, given an export."""
    [script] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    return subprocess.run(
        [sys.executable, "-c", script], input=content, capture_output=True, check=False
    )


def test_the_verifier_of_the_document_agrees_with_ours():
    content = GOLDEN.read_bytes()
    ran = run_document(content)
    assert ran.returncode == 0, ran.stderr
    reached = verify_export(content.splitlines(keepends=True))
    assert Checkpoint.from_json(json.loads(ran.stdout)) == reached
    for wrong in (
        content.replace(b"108.25", b"108.26"),
        content.replace(b'"signs":[1,-1]', b'"signs":[1, -1]'),
        b"".join(content.splitlines(keepends=True)[:-2]),
    ):
        assert run_document(wrong).returncode == 1
        with pytest.raises(Tampered):
            verify_export(wrong.splitlines(keepends=True))


def test_the_document_lists_the_fields_of_every_kind():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    documented = {kind: re.findall(r"`(\w+)`", fields) for kind, fields in rows}
    assert set(documented) == set(ENTRY_KINDS)
    for kind, fields in ROW_FIELDS.items():
        assert documented[kind] == [*fields, *OPTIONAL_FIELDS.get(kind, ())]
    parts = ("postings", *POSTING_FIELDS, "allocations", *ALLOCATION_FIELDS)
    assert documented["transaction"] == [*TRANSACTION_FIELDS, *parts, *TRANSACTION_OPTIONAL_FIELDS]
    assert documented["booking"] == ["transaction", "opens", *ITEM_FIELDS]


WRONG_COPIES = [
    (CLAIM, "currency", "USD"), (CLAIM, "occurred_at", LATER), (CLAIM, "recorded_at", AT),
    (CLAIM, "account_currency", "USD"), (CLAIM, "account_class", "prepaid"),
    (CLAIM, "account_customer_id", id_(4)), (CLAIM, "account_customer_id", None),
    (CLAIM, "account", f"receivable:{id_(4)}"), (EARNED, "account_class", "tax"),
    (EARNED, "account_customer_id", id_(3)), (ALLOCATED, "customer_id", id_(4)),
    (ALLOCATED, "currency", "USD"), (ALLOCATED, "occurred_at", LATER),
    (ALLOCATED, "recorded_at", AT), (ITEM, "customer_id", id_(4)), (ITEM, "currency", "USD"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "name", "other"), WRONG_COPIES)
def test_a_line_that_contradicts_its_transaction_is_missing_from_the_entry(line, name, other):
    def entry(changed):
        postings = [changed if line is posting else posting for posting in (CLAIM, EARNED)]
        return booking_entry(
            HEAD,
            postings,
            [changed if line is ALLOCATED else ALLOCATED],
            changed if line is ITEM else ITEM,
        )

    whole, wrong = entry(line), entry(line | {name: other})
    part = "opens" if line is ITEM else "allocations" if line is ALLOCATED else "postings"
    assert wrong[part] != whole[part]
    assert wrong | {part: whole[part]} == whole


def test_what_has_no_spelling_is_a_defect():
    with pytest.raises(TypeError, match="float has no canonical spelling"):
        row_entry("meter_end", ROWS["meter_end"] | {"name": 1.5})


def test_what_came_later_is_sealed_where_it_has_a_value():
    """A reading of a register that begins again at a power of ten is sealed as it always was."""
    reading = ROWS["reading"]
    assert "rollover_kwh" not in row_entry("reading", reading)
    counted = row_entry("reading", reading | {"rollover_kwh": Decimal("838.8608")})
    assert counted == row_entry("reading", reading) | {"rollover_kwh": "838.8608"}
    meter = row_entry("meter", ROWS["meter"] | {"channel_ends_at": [None, AT]})
    assert meter["channel_ends_at"][0] is None
    assert set(meter) - set(row_entry("meter", ROWS["meter"])) == {"channel_ends_at"}


def test_texts_stand_in_an_entry_as_a_commitment_alone():
    by_hand = hashlib.sha256(b"\x03" + SALT + b'{"address":"","name":"Oak Lane 1"}').hexdigest()
    sealed = row_entry("property", {**ROWS["property"], "salt": SALT})
    assert sealed["commitment"] == by_hand
    assert sealed.keys() == row_entry("property", ROWS["property"]).keys() - {
        "name", "address",
    } | {"commitment"}  # fmt: skip
    charge = booking_entry(REFUND, [CLAIM, EARNED], [], CHARGE)
    assert "Ms Roe" not in json.dumps(charge)
    assert "é" not in json.dumps(charge, ensure_ascii=False)
    assert "digest" not in charge
    assert charge["opens"].keys() == set(ITEM_FIELDS) - {"number"}
    invoice = booking_entry({**HEAD, "salt": SALT}, [CLAIM, EARNED], [], ITEM)
    assert (invoice["reference"], invoice["opens"]["number"]) == ("INV-é\n1", "INV-é\n1")
    other = booking_entry(REFUND, [CLAIM, EARNED], [], {**CHARGE, "number": "Mr Roe"})
    assert other["opens"] is None


@pytest.mark.parametrize("kind", [kind for kind in ROWS if TEXT_FIELDS.get(kind)])
def test_an_erasure_leaves_the_leaf_and_any_other_change_does_not(kind):
    row = {**ROWS[kind], "salt": SALT}
    sealed = row_entry(kind, row)
    left = bytes.fromhex(sealed["commitment"])
    empty = dict.fromkeys(TEXT_FIELDS[kind], "")
    assert row_entry(kind, {**row, **empty, "salt": None, "commitment": left}) == sealed
    wrong = [
        {**row, TEXT_FIELDS[kind][0]: "Ms Roe"},
        {**row, "salt": LEFT},
        {**row, "salt": None},
        {**row, "commitment": left},
        {**row, **empty, "salt": None, "commitment": LEFT},
        {**row, "salt": None, "commitment": left, TEXT_FIELDS[kind][0]: "Ms Roe"},
    ]
    for changed in wrong:
        assert row_entry(kind, changed) != sealed, changed


def exported(entries, leaves=None):
    """An export of entries; `leaves` are those that were sealed of what differs now."""
    state, lines = Checkpoint.start("acme"), []
    for seq, (kind, entry) in enumerate(entries, start=1):
        record = record_of("acme", seq, kind, entry)
        leaf = (leaves or {}).get(seq) or leaf_of(record)
        state = state.extend(leaf)
        lines.append(export_line(record, leaf, state.head))
    return [export_header("acme", 0, state.size), *lines, export_trailer(state)]


def legacy_erasure():
    """A refund that was sealed with its texts, and its erasure: before and after."""
    entry = booking_entry({**REFUND, "salt": None}, [CLAIM, EARNED], [], CHARGE)
    leaf = leaf_of(record_of("acme", 1, "booking", entry))
    seal = Seal(1, "booking", id_(1), leaf, leaf)
    erased = erase("acme", "booking", id_(1), entry, seal)
    row = {**ERASED, "seq": erased.seq, "leaf": erased.leaf, "rest": erased.rest}
    left = without_texts("booking", entry)
    return entry, left, leaf, ("erasure", row_entry("erasure", row))


def test_what_was_sealed_with_its_texts_is_erased_and_verifies():
    entry, left, leaf, erasure = legacy_erasure()
    assert "Ms Roe" not in json.dumps(left)
    before = exported([("booking", entry)])
    after = exported([("booking", left), erasure], {1: leaf})
    assert verify_export(after, verify_export(before)).size == 2
    assert run_document(b"".join(after)).returncode == 0


def test_an_erasure_hides_no_other_change():
    entry, left, leaf, erasure = legacy_erasure()
    changed = {**left, "total": "1.00000000"}
    wrong = [
        exported([("booking", left)], {1: leaf}),  # without its erasure
        exported([("booking", changed), erasure], {1: leaf}),
        exported([erasure, ("booking", left)], {2: leaf}),  # an erasure does not come before
        exported([("booking", left), ("erasure", {**erasure[1], "rest": LEFT.hex()})], {1: leaf}),
        exported([("booking", left), ("erasure", {**erasure[1], "leaf": LEFT.hex()})], {1: leaf}),
        exported([("booking", left), ("reading", erasure[1])], {1: leaf}),
        exported(
            [("booking", left), ("erasure", {**erasure[1], "erased_by": "x"})], {1: leaf, 2: leaf}
        ),
    ]
    for lines in wrong:
        with pytest.raises(Tampered):
            verify_export(lines)
        assert run_document(b"".join(lines)).returncode == 1
    assert erase("acme", "booking", id_(1), changed, Seal(1, "booking", id_(1), leaf, leaf)) is None
    assert entry["memo"] == "é"
