"""CloudEvents as others send them: both modes, any id, and what is no event."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from gridtally.contracts.envelope import (
    Envelope,
    event_id_of,
    named_tenant,
    read_envelope,
    read_message,
    source_of,
)
from gridtally.kernel.errors import Poison
from gridtally.kernel.ids import NAMESPACE

AN_ID = UUID("11111111-1111-4111-8111-111111111111")
AT = datetime(2025, 10, 1, tzinfo=UTC)
ENVELOPE = Envelope(AN_ID, "readings.received.v1", "gateway/1", AT, "acme", "c-1")
DATA = {"values": [1, None], "amount": "12.50", "note": "größer"}
DOCUMENT = {
    "specversion": "1.0",
    "id": str(AN_ID),
    "type": "readings.received.v1",
    "source": "gateway/1",
    "time": "2025-10-01T00:00:00Z",
    "tenantid": "acme",
    "correlationid": "c-1",
    "datacontenttype": "application/json",
    "subject": "ignored",
    "data": DATA,
}
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def without(*names, **changed):
    return {name: DOCUMENT[name] for name in DOCUMENT if name not in names} | changed


def structured(document, headers=STRUCTURED):
    return read_message(headers, json.dumps(document).encode())


def test_binary_mode_has_the_attributes_in_headers_and_the_data_as_it_is():
    assert read_message(ENVELOPE.headers(), b"{ }") == (ENVELOPE, b"{ }")
    assert read_message(ENVELOPE.headers(), None) == (ENVELOPE, None)


def test_structured_mode_has_all_in_one_document():
    envelope, data = structured(DOCUMENT)
    assert envelope == ENVELOPE
    assert json.loads(data) == DATA


@pytest.mark.parametrize(
    "content_type",
    [b"application/cloudevents+json", b"Application/CloudEvents+JSON ;charset=utf-8"],
)
def test_the_content_type_of_structured_mode_is_read_as_http_does(content_type):
    assert structured(DOCUMENT, [("content-type", content_type)])[0] == ENVELOPE


def test_data_may_be_base64():
    encoded = base64.b64encode(b'{"values": [1]}').decode()
    assert structured(without("data", data_base64=encoded))[1] == b'{"values": [1]}'


@pytest.mark.parametrize(
    ("document", "correlation_id"),
    [(without("correlationid"), str(AN_ID)), (without("correlationid", id="r-7"), "r-7")],
)
def test_an_event_without_a_correlation_id_begins_a_chain(document, correlation_id):
    assert structured(document)[0].correlation_id == correlation_id


def test_headers_of_structured_mode_do_not_count():
    headers = [*STRUCTURED, ("ce_tenantid", b"other"), ("ce_id", b"")]
    assert structured(DOCUMENT, headers)[0] == ENVELOPE


def test_a_uuid_stays_what_it_is_whoever_sends_it():
    assert event_id_of("gateway/1", str(AN_ID)) == AN_ID
    assert event_id_of("gateway/2", str(AN_ID).upper()) == AN_ID


def test_any_other_id_names_an_event_together_with_its_source():
    known = event_id_of("gateway/1", "2025-10-01/7")
    assert known == uuid5(NAMESPACE, "event\x1fgateway/1\x1f2025-10-01/7")
    assert known == event_id_of("gateway/1", "2025-10-01/7")
    assert known != event_id_of("gateway/2", "2025-10-01/7")
    assert known != event_id_of("gateway/1", "2025-10-01/8")


def test_the_mode_does_not_change_which_event_it_is():
    headers = [(name, b"r-7" if name == "ce_id" else text) for name, text in ENVELOPE.headers()]
    assert read_envelope(headers) == structured(without("id", id="r-7"))[0]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (without("specversion"), "no ce_specversion"),
        (without(specversion="0.3"), "only CloudEvents 1.0"),
        (without("id"), "no ce_id"),
        (without(id=""), "ce_id is empty"),
        (without(id=7), "id is not a text"),
        (without(id="a\x1fb"), "malformed"),
        (without(id="i" * 257), "ce_id has at most 256"),
        (without(source=""), "ce_source is empty"),
        (without(tenantid=None), "no ce_tenantid"),
        (without(tenantid="\ud800"), "malformed"),
        (without("data"), "either data or data_base64"),
        (without(data=None), "either data or data_base64"),
        (without(data_base64="e30="), "either data or data_base64"),
        (without("data", data_base64="no!"), "not Base64"),
        (without("data", data_base64=7), "not Base64"),
        (without(datacontenttype="text/plain"), "must be JSON"),
        (without(datacontenttype=7), "must be JSON"),
        ([DOCUMENT], "is a JSON object"),
        (without(data={"value": float("nan")}), "no JSON document"),
    ],
)
def test_a_structured_event_that_is_none_is_poison(document, reason):
    with pytest.raises(Poison, match=reason):
        structured(document)


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff", b"[" * 100_000])
def test_a_structured_event_without_a_document_is_poison(value):
    with pytest.raises(Poison, match="no JSON document"):
        read_message(STRUCTURED, value)


@pytest.mark.parametrize(
    "content_type", [b"application/cloudevents-batch+json", b"application/cloudevents+avro"]
)
def test_other_formats_are_poison(content_type):
    with pytest.raises(Poison, match=r"only application/cloudevents\+json"):
        structured(DOCUMENT, [("content-type", content_type)])


@pytest.mark.parametrize(
    ("headers", "value", "tenant_id"),
    [
        ([("ce_tenantid", b"acme")], b"{", "acme"),
        ([("ce_tenantid", b"no tenant")], b"{", None),
        (STRUCTURED, b'{"tenantid": "acme"}', "acme"),
        (STRUCTURED, b'{"tenantid": 7}', None),
        (STRUCTURED, b"{", None),
        ([], None, None),
    ],
)
def test_a_message_names_its_tenant_though_it_is_not_understood(headers, value, tenant_id):
    assert named_tenant(headers, value) == tenant_id


def test_a_service_is_a_source():
    assert source_of("billing") == "gridtally/billing"
