"""What no service could keep is refused by the contract, so that it becomes a dead letter."""

import copy
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.golden import golden_messages
from gridtally.contracts.model import Instant
from gridtally.contracts.topics import TOPICS

INSTANT = TypeAdapter(Instant)


@pytest.mark.parametrize(
    "sent",
    [
        "0001-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999-01:00",
        "0001-01-01T00:59:59+01:00",
        "2025-03-30T02:30:00",
    ],
)
def test_an_instant_of_the_first_or_last_year_is_refused(sent):
    with pytest.raises(ValidationError):
        INSTANT.validate_python(sent)


def test_the_years_between_are_kept():
    for at in (
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(9998, 12, 31, 23, 59, 59, 999_999, UTC),
    ):
        assert INSTANT.validate_python(at.isoformat()) == at


@pytest.mark.parametrize(
    ("end_on", "taken"),
    [(None, True), (date(2025, 1, 2), True), (date(2025, 1, 1), True), (date(2024, 12, 31), False)],
)
def test_an_agreement_does_not_end_before_it_began(end_on, taken):
    """One that ends on its first day has no days: it was cancelled."""
    thing = UUID(int=1)
    fields = {
        "agreement_id": thing, "customer_id": thing, "meter_id": thing, "tariff_id": thing,
        "start_on": date(2025, 1, 1), "end_on": end_on, "version": 1,
    }  # fmt: skip
    if taken:
        assert AgreementChanged.model_validate(fields).end_on == end_on
    else:
        with pytest.raises(ValidationError, match="does not end before"):
            AgreementChanged.model_validate(fields)


def leaves(value, path=()):
    """The path of every text, number and truth of a JSON value, and those of its objects."""
    match value:
        case dict() if value:
            yield path
            for name, member in value.items():
                yield from leaves(member, (*path, name))
        case list() if value:
            for index, item in enumerate(value):
                yield from leaves(item, (*path, index))
        case _:
            yield path


def with_json(value, path, json_text):
    """The JSON of a value in which `json_text` stands at a path."""
    mark = "@@ here @@"
    if not path:
        return json_text
    spoiled = copy.deepcopy(value)
    inner = spoiled
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = mark
    return json.dumps(spoiled).replace(json.dumps(mark), json_text)


def is_storable(value):
    match value:
        case float():
            return math.isfinite(value)
        case Decimal():
            return value.is_finite()
        case dict():
            return all(map(is_storable, value.values()))
        case list() | tuple():
            return all(map(is_storable, value))
    return True


def integers(schema, path=""):
    """The integers of a JSON schema, by their paths."""
    match schema:
        case dict():
            if schema.get("type") == "integer":
                yield path, schema
            for name, member in schema.items():
                yield from integers(member, f"{path}/{name}")
        case list():
            for index, member in enumerate(schema):
                yield from integers(member, f"{path}/{index}")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_integer_of_an_event_has_bounds(topic):
    """One of over eight bytes once ended a process, where it was written as JSON again. Those of
    `values` are fitted into four bytes one and all, and refused there."""
    bounded = ({"minimum", "maximum"}, {"exclusiveMinimum", "maximum"}, {"enum"}, {"const"})
    schema = TOPICS[topic].event.model_json_schema()
    unbounded = [
        path
        for path, integer in integers(schema)
        if "/values/" not in path and not any(names <= integer.keys() for names in bounded)
    ]
    assert unbounded == []


@pytest.mark.parametrize("number", [str(2**63), "1" * 400])
@pytest.mark.parametrize("message", golden_messages(), ids=lambda message: message.name)
def test_no_field_of_any_event_but_values_takes_an_integer_of_over_eight_bytes(message, number):
    event = TOPICS[message.topic].event
    for path in leaves(message.value):
        if "values" in path:
            continue
        try:
            taken = event.model_validate_json(with_json(message.value, path, number))
        except ValidationError:
            continue
        assert number not in repr(taken.model_dump()).replace("Decimal('" + number, ""), path


@pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity", '{"deep": [1e999]}'])
@pytest.mark.parametrize("message", golden_messages(), ids=lambda message: message.name)
def test_no_field_of_any_event_takes_a_number_that_no_database_holds(message, number):
    """JSON and Python know them; PostgreSQL's json does not, and a process once ended by that."""
    event = TOPICS[message.topic].event
    for path in leaves(message.value):
        try:
            taken = event.model_validate_json(with_json(message.value, path, number))
        except ValidationError:
            continue
        assert is_storable(taken.model_dump()), path
