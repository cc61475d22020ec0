"""What was once sent stays readable: golden messages that no later contract may break."""

from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from gridtally.contracts.envelope import read_envelope
from gridtally.contracts.golden import SUPERSEDED, golden_messages
from gridtally.contracts.topics import EXTERNAL_PRODUCERS, TOPICS

MESSAGES = {message.name: message for message in golden_messages()}
CURRENT = [message.name for message in golden_messages() if message.is_current]


def topic_of(message):
    return TOPICS[message.topic]


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


def is_read_as(event, value, expected):
    try:
        return event.model_validate(value) == expected
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
    """The model itself, or those within a list, an option, or both."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_golden_message_is_still_read_and_written_the_same(name):
    message = MESSAGES[name]
    event = topic_of(message).event.model_validate(message.value)
    written = MESSAGES[SUPERSEDED.get(name, name)].value
    assert is_kept(written, event.model_dump(mode="json"))
    assert message.key == f"local:{event.key()}"
    envelope = read_envelope([(n, text.encode()) for n, text in message.headers.items()])
    assert {n: content.decode() for n, content in envelope.headers()} == message.headers


@pytest.mark.parametrize("name", MESSAGES)
def test_a_golden_message_names_an_emitter_of_its_topic(name):
    source = MESSAGES[name].headers["ce_source"]
    assert source.removeprefix("gridtally/") in topic_of(MESSAGES[name]).emitted_by
    assert source.startswith("gridtally/") or source in EXTERNAL_PRODUCERS


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_every_field_of_every_event_is_shown_by_a_golden_message(topic):
    shown = [
        fields_shown(MESSAGES[name].value) for name in CURRENT if topic_of(MESSAGES[name]) == topic
    ]
    assert set().union(*shown) == fields_of(topic.event)


@pytest.mark.parametrize("name", CURRENT)
def test_removing_or_renaming_a_field_is_noticed(name):
    """A model without a field sees the golden value as one with a field it does not know."""
    message = MESSAGES[name]
    event = topic_of(message).event
    for field in message.value:
        renamed = {f"{n}_old" if n == field else n: v for n, v in message.value.items()}
        assert not is_still_read(event, renamed), field


@pytest.mark.parametrize(("former", "name"), SUPERSEDED.items())
def test_a_message_in_its_former_form_is_read_as_what_it_is_now(former, name):
    event, value = topic_of(MESSAGES[name]).event, MESSAGES[former].value
    now = event.model_validate(MESSAGES[name].value)
    assert value != MESSAGES[name].value
    assert event.model_validate(value) == now
    for field in value:
        renamed = {f"{n}_old" if n == field else n: v for n, v in value.items()}
        assert not is_read_as(event, renamed, now), field


def test_fields_from_the_future_are_ignored():
    for message in MESSAGES.values():
        event = topic_of(message).event
        value = message.value | {"from_the_future": 1}
        assert event.model_validate(value) == event.model_validate(message.value)


COUNTS = ("version", "usage_version", "revision", "values_count", "present_intervals")


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("number", [-1, 2**63], ids=["negative", "more than eight bytes"])
def test_a_count_that_no_column_takes_is_no_event(name, number):
    message = MESSAGES[name]
    event = topic_of(message).event
    for field in set(COUNTS) & message.value.keys():
        with pytest.raises(ValidationError, match=field):
            event.model_validate(message.value | {field: number})


def test_balances_are_read_by_the_name_that_they_had_before():
    """Messages of the version before lie on the compacted topic until a customer's next one."""
    message = next(m for m in MESSAGES.values() if m.topic == "account.changed.v1")
    value = dict(message.value)
    value["accounts"] = value.pop("balances")
    event = topic_of(message).event.model_validate(value)
    assert event.model_dump(mode="json") == message.value
