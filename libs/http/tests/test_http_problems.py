"""Every "no" is a problem, names what is wrong, and tells nothing of the inside."""

import pytest

import problems
from gridtally.contracts.problem import Problem, ProblemError
from gridtally.http.problems import pointer

CUT = ProblemError(pointer=f"#/{'y' * 298}%E2%80%A6", detail=f"{'z' * 499}…")
QUESTION = ProblemError(pointer="#/?", detail="?")


async def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    shown = Problem.model_validate_json(answer.content)
    assert shown.status == answer.status_code
    assert shown.correlation_id == answer.headers["x-correlation-id"]
    return shown


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("rejected", 422, "tariff_gap"),
        ("missing", 404, "meter_unknown"),
        ("conflict", 409, "meter_exists"),
        ("away", 503, "unavailable"),
        ("defect", 500, "internal_error"),
    ],
)
async def test_failures_of_handlers(client, how, status, code):
    answer = await client.get(f"/v1/fail/{how}")
    shown = await problem(answer)
    assert (shown.status, shown.code) == (status, code)
    assert "10.0.0.7" not in answer.text
    assert "secret detail" not in answer.text


async def test_faults_of_a_rejection_are_reported(client):
    shown = await problem(await client.get("/v1/fail/rejected"))
    assert shown.errors == [ProblemError(pointer="#/components/3/rate", detail="is missing")]


async def test_what_was_refused_is_not_sent_back_in_full(client):
    shown = await problem(await client.get("/v1/fail/at_length"))
    assert shown.detail == "x" * 1999 + "…"
    assert shown.errors == [CUT] * 100


async def test_what_no_answer_can_carry_is_replaced(client):
    shown = await problem(await client.get("/v1/fail/half"))
    assert (shown.detail, shown.errors) == ("? is unknown", [QUESTION])


async def test_what_is_away_may_be_asked_again(client):
    answer = await client.get("/v1/fail/away")
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/orders", 405), ("POST", "/v1/rows", 405),
     ("GET", "/v1/orders/", 404), ("POST", "/v1/orders/", 404)],
)  # fmt: skip
async def test_unknown_paths_and_methods(client, method, path, status):
    assert (await problem(await client.request(method, path))).status == status


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/orders", "HEAD, GET, POST"),
        ("/v1/orders/7", "HEAD, GET, PUT"),
        ("/v1/keys/abcdefgh", "DELETE"),
    ],
)
async def test_a_method_that_is_not_allowed_names_all_that_are(client, path, allowed):
    answer = await client.patch(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_that_is_not_said_to_be_json_is_not_read(client, kind):
    headers = {"content-type": kind} if kind else {}
    answer = await client.post("/v1/orders", content=b'{"items": []}', headers=headers)
    shown = await problem(answer)
    assert (shown.status, shown.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b"{", [""]),
        (b"", [""]),
        (b"[]", [""]),
        (b"{}", ["/items"]),
        (b'{"items": [{"amount": 1}, {"amount": "hunter2"}, {}]}',
         ["/items/1/amount", "/items/2/amount"]),
        (b'{"items": [], "by_name": {"a/b~c": {}}}', ["/by_name/a~1b~0c/amount"]),
    ],
)  # fmt: skip
async def test_faults_of_bodies_are_pointed_at_and_not_echoed(client, body, paths):
    answer = await client.post(
        "/v1/orders", content=body, headers={"content-type": "application/json"}
    )
    shown = await problem(answer)
    assert (shown.status, shown.code) == (422, "invalid_request")
    assert problems.paths(shown.model_dump()) == paths
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("body", [b'{"items": "\xff"}', b'{"items": ' + b"[" * 2000])
async def test_bodies_that_no_parser_takes_are_refused(client, body):
    answer = await client.post(
        "/v1/orders", content=body, headers={"content-type": "application/json"}
    )
    assert (await problem(answer)).status in (400, 422)


async def test_faults_of_paths_are_pointed_at(client, headers):
    answer = await client.get("/v1/orders/seven", headers=headers)
    assert problems.paths(answer.json()) == ["/path/order_id"]


async def test_faults_of_parameters_are_pointed_at_by_their_name(client, headers):
    """One that takes either of two kinds has a fault for each, by the same name."""
    answer = await client.get("/v1/orders?from=2025-04-02T00:00:00", headers=headers)
    assert set(problems.paths(answer.json())) == {"/query/from"}
    answer = await client.get("/v1/orders?from=2025-04-02", headers=headers)
    assert answer.json()["items"] == ["None 50 since 2025-04-02 00:00:00+00:00"]


async def test_a_long_name_is_not_sent_back_in_full(client):
    answer = await client.post("/v1/orders", json={"items": [], "by_name": {"x" * 3000: {}}})
    assert len(answer.text) < 1000


async def test_a_thousand_faults_get_an_answer_of_readable_length(client):
    answer = await client.post("/v1/orders", json={"items": [{}] * 1000})
    assert len((await problem(answer)).errors) <= 100


def test_pointer():
    assert pointer([]) == ""
    assert pointer(["items", 3, "a/b~c"]) == "/items/3/a~1b~0c"
