"""The AsyncAPI document against AsyncAPI's own schema, the golden messages and the envelope."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args
from uuid import UUID

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from gridtally.contracts.asyncapi import HEADERS, HEADERS_OPTIONAL, SERVERS, _Dumper, document
from gridtally.contracts.envelope import Envelope, read_envelope
from gridtally.contracts.golden import golden_messages
from gridtally.contracts.topics import (
    EXTERNAL_PRODUCERS,
    NO_TENANT,
    SERVICES,
    TOPICS,
    DeadLetter,
    dead_letter_topic,
)
from gridtally.kernel.errors import Poison

# From the npm package @asyncapi/specs 6.11.1 (Apache-2.0), whitespace removed.
SCHEMA = json.loads((Path(__file__).parent / "asyncapi-3.1.0.schema.json").read_text())
CURRENT = [message for message in golden_messages() if message.is_current]
ENVELOPE = Envelope(UUID(int=1), "a.b.v1", "gridtally/test", datetime.now(UTC), "local", "c")
UNIT = re.compile(
    r"\b(Wh|kWh|kW|minutes|hours|UTC|numbers?|How many|How often|without a unit)\b|currency|`unit`"
)
MEASURED = (int, Decimal, datetime)


@pytest.fixture(scope="module")
def asyncapi():
    return document()


def models_within(model):
    """A model, and the models of its fields, their items and theirs."""
    yield model
    for field in model.model_fields.values():
        for kind in kinds_within(field.annotation):
            if issubclass(kind, BaseModel):
                yield from models_within(kind)


def kinds_within(annotation):
    """The classes that a type is put together from: of `list[int | None]` int and NoneType."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from kinds_within(inner)


FIELDS = {
    f"{model.__name__}.{name}": field
    for event in (*(topic.event for topic in TOPICS.values()), DeadLetter)
    for model in models_within(event)
    for name, field in model.model_fields.items()
}


def test_it_is_valid_and_an_invalid_one_is_not(asyncapi):
    validator = jsonschema.Draft7Validator(SCHEMA)
    assert list(validator.iter_errors(asyncapi)) == []
    assert list(validator.iter_errors(asyncapi | {"operations": {"x": {"action": "shout"}}}))


def test_it_names_every_topic_once(asyncapi):
    dead = [
        dead_letter_topic(service)
        for service in ("billing", "ingest", "ledger", "simulation", "tariff")
    ]
    assert list(asyncapi["channels"]) == [*TOPICS, *dead]


def test_it_says_who_sends_and_receives_what(asyncapi):
    stated = {
        (operation["tags"][0]["name"], operation["action"], operation["channel"]["$ref"])
        for operation in asyncapi["operations"].values()
    }
    assert len(stated) == len(asyncapi["operations"])
    sent = {(name, topic.name) for topic in TOPICS.values() for name in topic.emitted_by}
    sent |= {(service, dead_letter_topic(service)) for service in SERVICES}
    received = {(name, topic.name) for topic in TOPICS.values() for name in topic.received_by}
    assert stated == {(name, "send", f"#/channels/{topic}") for name, topic in sent} | {
        (name, "receive", f"#/channels/{topic}") for name, topic in received
    }
    assert ("gateway", "send", "#/channels/readings.received.v1") in stated
    assert ("ledger", "receive", "#/channels/payment.received.v1") in stated
    applications = {tag["name"] for tag in asyncapi["info"]["tags"]}
    assert applications == {*SERVICES, *EXTERNAL_PRODUCERS} >= {name for name, *_ in stated}


def test_an_operation_names_a_message_of_its_channel(asyncapi):
    for operation in asyncapi["operations"].values():
        channel = asyncapi["channels"][operation["channel"]["$ref"].removeprefix("#/channels/")]
        (message,) = operation["messages"]
        own = [f"{operation['channel']['$ref']}/messages/{name}" for name in channel["messages"]]
        assert [message["$ref"]] == own


def test_it_has_a_server_whose_address_is_a_variable(asyncapi):
    (server,) = asyncapi["servers"].values()
    assert (server["protocol"], server["host"]) == ("kafka", "{address}")
    assert server["variables"]["address"]["default"]
    assert server == SERVERS["kafka"]


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_a_message_has_key_headers_and_the_golden_messages_as_examples(asyncapi, topic):
    message = asyncapi["components"]["messages"][topic.event.__name__]
    golden = [golden for golden in CURRENT if golden.topic == topic.name]
    assert golden
    assert message["examples"] == [
        {"name": example.name, "headers": example.headers, "payload": example.value}
        for example in golden
    ]
    key = message["bindings"]["kafka"]["key"]
    for example in golden:
        jsonschema.Draft7Validator(key).validate(example.key)
    assert not jsonschema.Draft7Validator(key).is_valid("no tenant:thing")
    assert message["contentType"] == "application/json"


def test_a_dead_letter_is_of_no_tenant(asyncapi):
    headers = asyncapi["components"]["messages"]["DeadLetter"]["headers"]
    assert headers["properties"]["ce_tenantid"]["const"] == NO_TENANT


@pytest.mark.parametrize(("name", "field"), FIELDS.items(), ids=FIELDS)
def test_every_field_is_described_with_its_unit(name, field):
    assert field.description, f"{name} has no description"
    assert field.description.endswith("."), name
    if any(issubclass(kind, MEASURED) for kind in kinds_within(field.annotation)):
        assert UNIT.search(field.description), f"{name} says neither a unit nor what it counts"


def test_the_file_has_no_anchors_and_reads_back_the_same(asyncapi):
    text = yaml.dump(asyncapi, Dumper=_Dumper, sort_keys=False)
    assert yaml.safe_load(text) == asyncapi
    assert not re.search(r"^\s*(- )?\S*:? ?[&*]id\d+", text, re.MULTILINE)


@pytest.mark.parametrize("message", CURRENT, ids=lambda message: message.name)
def test_the_golden_messages_follow_it(asyncapi, message):
    event = TOPICS[message.topic].event.__name__
    schema = {"$ref": f"#/components/schemas/{event}", "components": asyncapi["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(message.value)) == []
    headers = asyncapi["components"]["messageTraits"]["cloudEvent"]["headers"]
    assert list(jsonschema.Draft202012Validator(headers).iter_errors(message.headers)) == []


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
        ("ce_id", b""),
        ("ce_id", b"a\x1fb"),
        ("ce_id", b"i" * 257),
        ("ce_specversion", b"0.3"),
        ("ce_specversion", b""),
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
