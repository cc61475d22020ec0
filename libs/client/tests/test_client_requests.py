"""What is sent: addresses, bodies and headers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.client.generated.billing_models import AgreementChange, NewCustomer
from gridtally.client.requests import IDEMPOTENCY_KEY, request_of

ID = UUID("00000000-0000-4000-8000-000000000001")


def test_the_path_is_filled_and_cannot_be_left():
    sent = request_of("GET", "/v1/price-series/{code}/x", {"code": "../keys?a=1"})
    assert sent.path == "/v1/price-series/..%2Fkeys%3Fa%3D1/x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ID, str(ID)),
        (date(2025, 3, 30), "2025-03-30"),
        (datetime(2025, 3, 30, 1, tzinfo=UTC), "2025-03-30T01:00:00+00:00"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (7, "7"),
        ("a b", "a b"),
    ],
)
def test_values_of_a_query_are_written_as_services_read_them(value, text):
    sent = request_of("GET", "/v1/x", query={"a": value, "b": None, "c": [value, value]})
    assert sent.query == (("a", text), ("c", text), ("c", text))


def test_an_instant_needs_a_zone():
    with pytest.raises(ValueError, match="has no zone"):
        request_of("GET", "/v1/x", query={"at": datetime(2025, 3, 30, 1)})  # noqa: DTZ001 - refused


def test_a_float_is_never_sent():
    with pytest.raises(TypeError, match="cannot be sent"):
        request_of("GET", "/v1/x", query={"rate": 0.1})


def test_what_nobody_set_stays_out_of_a_body_and_null_stays_in():
    sent = request_of("PATCH", "/v1/x", body=AgreementChange(end_on=None), if_match=3)
    assert sent.content == b'{"end_on":null}'
    assert sent.headers["If-Match"] == '"3"'
    sent = request_of("POST", "/v1/x", body=NewCustomer(name="Ada", currency="EUR"))
    assert sent.content == b'{"name":"Ada","currency":"EUR"}'


def test_an_idempotency_key_is_made_for_each_call_or_is_the_one_given():
    keys = {request_of("POST", "/v1/x", once=True).headers[IDEMPOTENCY_KEY] for _ in range(3)}
    assert len(keys) == 3
    given = request_of("POST", "/v1/x", once=True, idempotency_key="mine")
    assert given.headers[IDEMPOTENCY_KEY] == "mine"
    assert IDEMPOTENCY_KEY not in request_of("POST", "/v1/x").headers


@pytest.mark.parametrize(
    ("request_", "repeatable"),
    [
        (request_of("GET", "/v1/x"), True),
        (request_of("PUT", "/v1/x", body=b"{}"), True),
        (request_of("POST", "/v1/x", body=b"{}"), False),
        (request_of("POST", "/v1/x", body=b"{}", once=True), True),
        (request_of("POST", "/v1/x", body=iter([b"{}"]), once=True), False),
        (request_of("PATCH", "/v1/x", body=b"{}"), False),
    ],
)
def test_only_what_cannot_be_done_twice_is_repeatable(request_, repeatable):
    assert request_.is_repeatable is repeatable
