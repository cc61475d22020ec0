"""What ingest takes from the broker."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import ReadingsReceived
from gridtally.ingest.events import SOURCE_REGISTERS
from gridtally.ingest.events.blocks import block_of, read_block, received_blocks
from gridtally.ingest.events.messages import agreement
from gridtally.ingest.events.submissions import Sender, read_item
from gridtally.kernel.errors import Poison
from gridtally.messaging import ReceivedMessage

AT = datetime(2025, 5, 1, tzinfo=UTC)


def message(source, *, value=b"[1]"):
    event = ReadingsReceived(
        meter_id=UUID(int=7), flow="import", start_at=AT, minutes=15, values=[1]
    )  # fmt: skip
    envelope = Envelope(UUID(int=1), event.TOPIC, source, AT, "acme", "c")
    return ReceivedMessage(
        block_of(event) if value else None, envelope, event.TOPIC, 3, 0, "acme:7", value
    )


def test_a_block_keeps_its_partition_and_its_quality():
    received = received_blocks([message("gateway/1")])
    assert (received.partitions, received.quality_codes) == ([3], [ord("A")])


def test_nobody_sends_as_our_registers_over_the_broker():
    with pytest.raises(Poison, match="nobody else"):
        received_blocks([message("gateway/1"), message(SOURCE_REGISTERS)])


def test_readings_have_no_tombstones():
    with pytest.raises(Poison, match="tombstones"):
        received_blocks([message("gateway/1", value=None)])


USUAL = {
    "meter_id": "db6bf123-49ca-53a3-9c8e-62d61642f311",
    "flow": "import",
    "start_at": "2025-05-05T00:00:00+02:00",
    "minutes": 15,
    "values": [1, None, 3],
}
ODD = [None, True, False, 0, 1, -1, 15, 15.0, 1.5, 2**63, 2**64, 10**30, 1e300, "", "15", "1.5"]
ODD += ["x" * 101, "\ud800", "caf\u00e9", "Wh", "kWh", "actual", "guessed", "import", "load"]
ODD += ["2025-05-05", "2025-05-05T00:00:00", "2025-05-05T00:15:00Z", "0001-01-01T00:00:00Z"]
ODD += ["9999-12-31T23:00:00-05:00", "1714867200", 1714867200, "DB6BF12349CA53A39C8E62D61642F311"]
ODD += ["urn:uuid:db6bf123-49ca-53a3-9c8e-62d61642f311", [], [1], {}, [True], [1.0], ["3"]]
ODD += [[None], [2**63 - 1, -(2**63)], [2**64], [1] * 3_000, [1] * 3_001, [[1]]]
FIELDS = [*USUAL, "unit", "quality", "source", "read_at", "event_id", "more"]


def by_the_model(value):
    return block_of(ReadingsReceived.model_validate_json(value))


def outcome(read, value):
    try:
        return read(value)
    except ValidationError as refused:
        return refused.errors(include_url=False, include_context=False)


@given(
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD)), st.sets(st.sampled_from(FIELDS))
)
@example({}, set())
@example({"minutes": True}, set())
@example({"start_at": True}, set())
def test_a_block_is_what_the_contract_says_however_it_is_read(changed, left_out):
    fields = {name: field for name, field in (USUAL | changed).items() if name not in left_out}
    value = json.dumps(fields).encode()
    expected = outcome(by_the_model, value)
    for _ in range(2):  # the second time what is remembered answers
        found = outcome(read_block, value)
        assert found == expected
        assert list(map(type, found)) == list(map(type, expected))


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff", b"{}", json.dumps([USUAL]).encode(),
     json.dumps(USUAL).encode()[:-1] + b', "minutes": 30}',
     json.dumps(USUAL).encode()[:-1] + b', "more": NaN}',
     json.dumps(USUAL).encode()[:-1] + b', "source": "\\ud800"}'],
)  # fmt: skip
def test_values_that_are_no_block_at_all_or_a_strange_one(value):
    expected = outcome(by_the_model, value)
    assert outcome(read_block, value) == expected


@pytest.mark.parametrize(
    "more",
    [{}, {"read_at": "2025-05-05T00:20:00Z"}, {"quality": "estimated", "source": "g1"}],
)
def test_what_gateways_usually_send_is_read_without_the_model(more, monkeypatch):
    value = json.dumps(USUAL | more).encode()
    expected = read_block(value)
    monkeypatch.setattr("gridtally.ingest.events.blocks.block_of", None)
    assert read_block(value) == expected


@pytest.mark.parametrize(
    ("billing_starts_on", "end_on", "planned_from"),
    [
        (None, None, "2024-01-01"),
        ("2025-01-15", None, "2025-01-15"),
        ("2025-01-15", "2025-06-01", "2025-01-15"),
        ("2025-01-15", "2025-01-10", "2025-01-10"),  # ended before anything was invoiced
        ("2025-01-15", "2024-01-01", "2024-01-01"),  # cancelled
    ],
)
def test_no_period_is_planned_of_days_that_are_not_invoiced(
    billing_starts_on, end_on, planned_from
):
    event = AgreementChanged(
        agreement_id=UUID(int=1), customer_id=UUID(int=2), meter_id=UUID(int=3),
        tariff_id=UUID(int=4), start_on="2024-01-01", end_on=end_on,
        billing_starts_on=billing_starts_on, version=1,
    )  # fmt: skip
    known = agreement("acme", event)
    assert (known.start_on, known.end_on) == (date.fromisoformat(planned_from), event.end_on)


UNITS = [
    # as it is sent, and as it is published: unit and values
    ("kWh", ["0.125", 0.125, 1, None, "2.500"], ("Wh", [125, 125, 1_000, None, 2_500])),
    ("kvarh", [0.001], ("varh", [1])),
    ("kWh", [0.1, 0.2, 0.3, 0.7], ("Wh", [100, 200, 300, 700])),
    ("kWh", ["-1"], ("Wh", [-1_000])),  # refused for that by the rules, as in Wh
    ("Wh", [125], ("Wh", [125])),
    ("MWh", [1], ("MWh", [1])),  # refused by the rules
]


@pytest.mark.parametrize(("unit", "values", "published"), UNITS)
def test_readings_in_kwh_are_published_as_the_same_in_wh(unit, values, published):
    item = {"meter_id": str(UUID(int=7)), "flow": "import", "start_at": AT.isoformat(),
            "minutes": 15, "unit": unit, "values": values}  # fmt: skip
    submission = read_item(item, Sender("acme", "c"), AT)
    sent = json.loads(submission.value)
    assert (sent["unit"], sent["values"]) == published
    assert item["unit"] == unit


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        (["0.1254"], "values/0: "),
        ([1, 0.0005], "values/1: "),
        (["much"], "values/0: "),
        (["NaN"], "values/0: "),
        (["1" * 20], "values/0: "),
        ([], "values: "),
        ("1", "values: "),
        ({"a": 1}, "values: "),
    ],
)
def test_readings_in_kwh_that_are_no_whole_wh_are_refused_with_their_place(values, detail):
    item = {"meter_id": str(UUID(int=7)), "flow": "import", "start_at": AT.isoformat(),
            "minutes": 15, "unit": "kWh", "values": values}  # fmt: skip
    refusal = read_item(item, Sender("acme", "c"), AT)
    assert refusal.reason == "malformed"
    assert refusal.detail.startswith(detail)
    assert refusal.detail.endswith("(in kWh, and a whole number of Wh)")
