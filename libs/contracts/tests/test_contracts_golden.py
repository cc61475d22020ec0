"""What was once sent stays readable: golden messages that no later contract may break."""

import json
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from contracts.envelope import read_envelope
from contracts.topics import TOPICS

GOLDEN = Path(__file__).parents[1] / "golden"
MESSAGES = {path.name: json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))}


def topic_of(message):
    return TOPICS[message["headers"]["ce_type"]]


def is_kept(old, new):
    """Whether `new` says all that `old` says; it may say more."""
    match old:
        case dict():
            return all(name in new and is_kept(value, new[name]) for name, value in old.items())
        case list():
            return len(old) == len(new) and all(map(is_kept, old, new))
        case _:
            return old == new


def is_still_read(event, value):
    try:
        return is_kept(value, event.model_validate(value).model_dump(mode="json"))
    except ValidationError:
        return False


def fields_shown(value):
    """The names of all fields in a JSON value, but not inside free-form documents."""
    match value:
        case dict():
            return set(value).union(
                *(fields_shown(v) for name, v in value.items() if name != "document")
            )
        case list():
            return set().union(*map(fields_shown, value))
        case _:
            return set()


def fields_of(model):
    """The names of all fields of a model and of the models within it."""
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for kind in models_in(field.annotation):
            names |= fields_of(kind)
    return names


def models_in(annotation):
    """The models within a list, an option, or both."""
    for inner in get_args(annotation):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield inner
        yield from models_in(inner)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_golden_message_is_still_read_and_written_the_same(name):
    message = MESSAGES[name]
    event = topic_of(message).event.model_validate(message["value"])
    assert is_still_read(type(event), message["value"])
    assert message["key"] == f"local:{event.key()}"
    envelope = read_envelope([(n, text.encode()) for n, text in message["headers"].items()])
    assert {n: content.decode() for n, content in envelope.headers()} == message["headers"]


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_every_field_of_every_event_is_shown_by_a_golden_message(topic):
    shown = [
        fields_shown(message["value"])
        for message in MESSAGES.values()
        if topic_of(message) == topic
    ]
    assert set().union(*shown) == fields_of(topic.event)


@pytest.mark.parametrize("name", MESSAGES)
def test_removing_or_renaming_a_field_is_noticed(name):
    """A model without a field sees the golden value as one with a field it does not know."""
    message = MESSAGES[name]
    event = topic_of(message).event
    for field in message["value"]:
        renamed = {f"{n}_old" if n == field else n: v for n, v in message["value"].items()}
        assert not is_still_read(event, renamed), field


def test_fields_from_the_future_are_ignored():
    for message in MESSAGES.values():
        event = topic_of(message).event
        value = message["value"] | {"from_the_future": 1}
        assert event.model_validate(value) == event.model_validate(message["value"])


COUNTS = ("version", "usage_version", "revision", "values_count", "present_intervals")


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("number", [-1, 2**63], ids=["negative", "more than eight bytes"])
def test_a_count_that_no_column_takes_is_no_event(name, number):
    message = MESSAGES[name]
    event = topic_of(message).event
    for field in set(COUNTS) & message["value"].keys():
        with pytest.raises(ValidationError, match=field):
            event.model_validate(message["value"] | {field: number})
