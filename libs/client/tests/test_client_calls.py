"""Calls against a service that is played by a function: pages, problems, retries, downloads."""

import json
from uuid import UUID

import httpx
import pytest

from gridtally.client import (
    AsyncClient,
    Client,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotConfigured,
    NotFound,
    NotNow,
    Problem,
    Retries,
    ServiceAway,
    UnreadableAnswer,
)
from gridtally.client.generated.billing_models import NewCustomer
from gridtally.client.requests import IDEMPOTENCY_KEY

ID = "00000000-0000-4000-8000-000000000001"
URLS = {"billing": "http://billing.test", "ingest": "http://ingest.test"}
QUICK = Retries(first_wait_s=0.001, longest_wait_s=0.002)
DAY = "2025-01-01T00:00:00Z"
CUSTOMER = {
    "id": ID, "name": "Ada", "currency": "EUR", "number": None, "email": None,
    "phone_number": None, "language": None, "billing_address": None, "supply_address": None,
    "contacts": [], "tax_id": None, "tax_exemptions": [], "payment_days": None,
    "e_invoice_consent_on": None, "billing_calendar": None, "invoicing": "separate",
    "collective_grace_hours": 72, "minimum_amount": None, "minimum_periods_max": 12,
    "erased_at": None,
    "merged_into": None,
    "created_at": DAY, "updated_at": DAY, "version": 1,
}  # fmt: skip


class Played:
    """A service that answers in turn what it was told to, an exception being raised instead."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(played, retries=QUICK):
    return Client(URLS, "key", retries=retries, transport=httpx.MockTransport(played))


def async_client(played):
    return AsyncClient(URLS, "key", retries=QUICK, transport=httpx.MockTransport(played))


def refusal(status, code="some_code", **headers):
    body = {
        "type": "t", "title": "t", "status": status, "code": code, "detail": "No.",
        "errors": [{"pointer": "/name", "detail": "is missing"}],
    }  # fmt: skip
    kind = {"content-type": "application/problem+json", "x-correlation-id": "c-1"}
    return httpx.Response(status, headers=kind | headers, content=json.dumps(body))


def page(count, cursor):
    keys = [
        {"key_id": f"k{n}", "tenant_id": "t", "name": "n", "scopes": [], "revoked_at": None,
         "created_at": "2025-01-01T00:00:00Z", "customer_id": None}
        for n in range(count)
    ]  # fmt: skip
    return httpx.Response(200, json={"items": keys, "next_cursor": cursor})


def test_a_list_goes_through_all_pages_as_far_as_it_is_read():
    played = Played(page(2, "next"), page(1, None))
    listed = client(played).billing.list_keys(limit=2)
    assert [next(listed).key_id, next(listed).key_id] == ["k0", "k1"]
    assert len(played.requests) == 1
    assert [key.key_id for key in listed] == ["k0"]
    assert played.requests[1].url.params["cursor"] == "next"
    assert played.requests[1].url.params["limit"] == "2"


async def test_a_list_goes_through_all_pages_in_an_event_loop():
    played = Played(page(2, "next"), page(1, None))
    async with async_client(played) as gridtally:
        assert [key.key_id async for key in gridtally.billing.list_keys()] == ["k0", "k1", "k0"]


def test_the_key_is_shown_to_every_service():
    played = Played(page(0, None))
    list(client(played).billing.list_keys())
    assert played.requests[0].headers["Authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest), (401, NotAllowed), (403, NotAllowed), (404, NotFound),
        (409, Conflict), (412, Conflict), (422, InvalidRequest), (428, InvalidRequest),
        (500, Problem),
    ],
)  # fmt: skip
def test_a_refusal_is_an_exception_of_its_kind_and_is_not_repeated(status, kind):
    played = Played(refusal(status))
    with pytest.raises(kind) as raised:
        client(played).billing.get_customer(UUID(ID))
    problem = raised.value
    assert (problem.status, problem.code, problem.detail) == (status, "some_code", "No.")
    assert [str(error) for error in problem.errors] == ["/name: is missing"]
    assert problem.correlation_id == "c-1"
    assert str(problem) == f"{status} some_code: No.; /name: is missing"


async def test_a_client_may_speak_for_one_customer():
    """Each of its requests is bound to that one, and those of others to nobody."""
    played = Played(*[refusal(404) for _ in range(3)])
    transport = httpx.MockTransport(played)
    with pytest.raises(Problem):
        Client(URLS, "key", customer=UUID(ID), transport=transport).billing.get_customer(UUID(ID))
    bound = AsyncClient(URLS, "key", customer=UUID(ID), transport=transport)
    with pytest.raises(Problem):
        await bound.billing.get_customer(UUID(ID))
    with pytest.raises(Problem):
        client(played).billing.get_customer(UUID(ID))
    assert [request.headers.get("Gridtally-Customer") for request in played.requests] == [
        ID, ID, None,
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"", b"[1]", b"\xff"])
def test_what_a_proxy_answers_is_a_problem_too(content):
    kind = {"content-type": "application/problem+json"}
    played = Played(httpx.Response(500, headers=kind, content=content))
    with pytest.raises(Problem) as raised:
        client(played).billing.get_customer(UUID(ID))
    assert raised.value.code == "http_500"


def test_a_busy_service_is_asked_again_and_the_key_stays_the_same():
    played = Played(
        refusal(429, **{"retry-after": "0"}),
        httpx.ReadError("gone"),
        refusal(502),
        httpx.Response(201, json=CUSTOMER),
    )
    made = client(played).billing.create_customer(NewCustomer(name="Ada", currency="EUR"))
    assert made.id == UUID(ID)
    assert len({request.headers[IDEMPOTENCY_KEY] for request in played.requests}) == 1
    assert len({request.content for request in played.requests}) == 1


def test_an_attempt_that_is_still_at_work_is_waited_for():
    """Its answer did not come in time: it may be done, and its key tells."""
    at_work = refusal(409, "request_in_flight")
    played = Played(httpx.ReadTimeout("slow"), at_work, httpx.Response(201, json=CUSTOMER))
    new = NewCustomer(name="Ada", currency="EUR")
    assert client(played).billing.create_customer(new).id == UUID(ID)
    assert len({request.headers[IDEMPOTENCY_KEY] for request in played.requests}) == 1
    with pytest.raises(Conflict):  # any other conflict stays one
        client(Played(refusal(409))).billing.create_customer(new)


async def test_a_busy_service_is_asked_again_in_an_event_loop():
    played = Played(refusal(503), httpx.ReadError("gone"), httpx.Response(200, json=CUSTOMER))
    async with async_client(played) as gridtally:
        assert (await gridtally.billing.get_customer(UUID(ID))).name == "Ada"


def test_what_may_have_been_done_is_not_sent_again():
    played = Played(httpx.ReadError("gone"))
    with pytest.raises(ServiceAway, match="ingest does not answer"):
        client(played).ingest.submit_readings(b"{}")
    played = Played(httpx.ConnectError("no"), httpx.ConnectError("no"), refusal(422))
    with pytest.raises(InvalidRequest):  # what never arrived is
        client(played).ingest.submit_readings(b"{}")


def test_a_stream_is_sent_once():
    played = Played(refusal(503))
    with pytest.raises(NotNow):
        client(played).ingest.submit_readings(iter([b"{}\n"]), content_type="application/x-ndjson")


def test_it_gives_up_with_what_was_said_last():
    played = Played(*[refusal(503, "starting") for _ in range(3)])
    with pytest.raises(NotNow) as raised:
        client(played, Retries(attempts=3, first_wait_s=0.001)).billing.get_customer(UUID(ID))
    assert raised.value.code == "starting"
    assert played.answers == []


def test_a_download_is_read_piece_by_piece(tmp_path):
    head = {
        "content-type": "application/zip",
        "content-disposition": 'attachment; filename="a.zip"',
    }
    played = Played(refusal(503), httpx.Response(200, headers=head, content=b"PK" * 1000))
    with client(played).billing.export_invoice_documents(format="pdf") as archive:
        assert (archive.content_type, archive.file_name) == ("application/zip", "a.zip")
        assert archive.save(tmp_path / "a.zip") == 2000
    assert (tmp_path / "a.zip").read_bytes() == b"PK" * 1000


async def test_a_refused_download_is_a_problem():
    played = Played(refusal(404, "invoice_unknown"))
    async with async_client(played) as gridtally:
        with pytest.raises(NotFound, match="invoice_unknown"):
            async with gridtally.billing.get_invoice_document(UUID(ID), format="html"):
                raise AssertionError("it was refused")


def test_a_value_that_is_not_known_yet_is_kept():
    played = Played(httpx.Response(200, json=CUSTOMER | {"language": "xx", "new_field": 1}))
    assert client(played).billing.get_customer(UUID(ID)).language == "xx"


def test_an_operation_without_an_answer_answers_nothing():
    played = Played(httpx.Response(204))
    assert client(played).billing.delete_customer(UUID(ID), if_match=1) is None
    assert played.requests[0].headers["If-Match"] == '"1"'


def test_the_environment_says_where_the_services_are():
    with pytest.raises(NotConfigured, match=r"TARIFF_URL.*GRIDTALLY_API_KEY"):
        Client.from_environment({"INGEST_URL": "http://x"})
    names = ("INGEST", "TARIFF", "BILLING", "LEDGER", "SIMULATION")
    said = {f"{name}_URL": f"http://{name.lower()}.test" for name in names}
    played = Played(page(0, None))
    with Client.from_environment(
        said | {"GRIDTALLY_API_KEY": "k"}, transport=httpx.MockTransport(played)
    ) as gridtally:
        list(gridtally.ledger.list_keys())
    assert played.requests[0].url.host == "ledger.test"


def test_a_service_without_an_address_says_which_it_is():
    with pytest.raises(NotConfigured, match="no address of ledger"):
        _ = Client(URLS, "key").ledger


def test_an_answer_that_lacks_something_is_named():
    played = Played(httpx.Response(200, json={"id": ID}))
    with pytest.raises(UnreadableAnswer, match="currency"):
        client(played).billing.get_customer(UUID(ID))


def untyped(played):
    return async_client(played).untyped("billing")


async def test_calls_by_path_are_tried_again_and_answered_as_it_came():
    played = Played(refusal(503), httpx.Response(200, json={"price": "0.10", "new": [1]}))
    assert await untyped(played).call("GET", "/v1/x", query={"a": "b", "none": None}) == {
        "price": "0.10",
        "new": [1],
    }
    assert [str(request.url.query, "ascii") for request in played.requests] == ["a=b", "a=b"]


async def test_a_body_by_path_is_sent_once_where_nobody_knows_what_became_of_it():
    played = Played(httpx.ReadError("gone"), httpx.Response(200, json={}))
    with pytest.raises(ServiceAway, match="billing does not answer"):
        await untyped(played).call("POST", "/v1/x", json_body={"a": 1})
    assert [request.content for request in played.requests] == [b'{"a": 1}']


async def test_items_by_path_go_through_all_pages():
    pages = [
        {"items": [{"n": 1}, {"n": 2}], "next_cursor": "c"},
        {"items": [], "next_cursor": None},
    ]
    played = Played(*(httpx.Response(200, json=answered) for answered in pages))
    assert [item["n"] async for item in untyped(played).items("/v1/x", query={"limit": 2})] == [
        1,
        2,
    ]
    assert [str(request.url.query, "ascii") for request in played.requests] == [
        "limit=2",
        "limit=2&cursor=c",
    ]


@pytest.mark.parametrize("content", [b"<html>", b"[1]"])
async def test_what_is_no_object_is_named(content):
    with pytest.raises(UnreadableAnswer, match="GET /v1/x"):
        await untyped(Played(httpx.Response(200, content=content))).call("GET", "/v1/x")
