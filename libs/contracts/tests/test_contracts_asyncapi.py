"""The AsyncAPI document against AsyncAPI's own schema, the golden messages and the envelope."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest

from contracts.asyncapi import HEADERS, HEADERS_OPTIONAL, document
from contracts.envelope import Envelope, read_envelope
from contracts.topics import TOPICS, dead_letter_topic
from kernel.errors import Poison

HERE = Path(__file__).parent
# From the npm package @asyncapi/specs 6.11.1 (Apache-2.0), whitespace removed.
SCHEMA = json.loads((HERE / "asyncapi-3.0.0.schema.json").read_text())
GOLDEN = [json.loads(path.read_text()) for path in sorted(HERE.parent.glob("golden/*.json"))]
ENVELOPE = Envelope(UUID(int=1), "a.b.v1", "gridtally/test", datetime.now(UTC), "local", "c")


@pytest.fixture(scope="module")
def asyncapi():
    return document()


def test_it_is_valid_and_an_invalid_one_is_not(asyncapi):
    validator = jsonschema.Draft7Validator(SCHEMA)
    assert list(validator.iter_errors(asyncapi)) == []
    assert list(validator.iter_errors(asyncapi | {"operations": {"x": {"action": "shout"}}}))


def test_it_names_every_topic_once(asyncapi):
    dead = [dead_letter_topic(service) for service in ("billing", "ingest", "ledger", "tariff")]
    assert list(asyncapi["channels"]) == [*TOPICS, *dead]
    assert len(asyncapi["operations"]) == len(TOPICS)


@pytest.mark.parametrize("message", GOLDEN, ids=lambda message: message["headers"]["ce_type"])
def test_the_golden_messages_follow_it(asyncapi, message):
    event = TOPICS[message["headers"]["ce_type"]].event.__name__
    schema = {"$ref": f"#/components/schemas/{event}", "components": asyncapi["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(message["value"])) == []
    headers = asyncapi["components"]["messageTraits"]["cloudEvent"]["headers"]
    assert list(jsonschema.Draft202012Validator(headers).iter_errors(message["headers"])) == []


def test_the_headers_are_those_of_the_envelope():
    sent = dict(ENVELOPE.headers())
    assert list(HEADERS) == list(sent)
    for name in HEADERS:
        without = [(n, content) for n, content in sent.items() if n != name]
        if name in HEADERS_OPTIONAL:
            read_envelope(without)
        else:
            with pytest.raises(Poison, match=name):
                read_envelope(without)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ce_id", b"7"),
        ("ce_time", b"2025-03-01T00:00:00"),
        ("ce_time", b"yesterday"),
        ("ce_tenantid", b""),
        ("ce_tenantid", b"a" * 64),
        ("ce_tenantid", b"*"),
        ("ce_tenantid", "caf\u00e9".encode()),
        ("ce_tenantid", b"acme\n"),
        ("ce_time", b"9999-12-31T23:59:59.999999+00:00"),
        ("ce_time", b"0001-01-01T00:00:00+00:00"),
        ("ce_time", b"0001-01-01T00:00:00+01:00"),
        ("ce_type", b"\xff"),
        ("ce_source", b"s" * 257),
        ("ce_correlationid", b"c" * 257),
    ],
)
def test_a_malformed_header_is_poison(name, content):
    with pytest.raises(Poison):
        read_envelope(list((dict(ENVELOPE.headers()) | {name: content}).items()))
