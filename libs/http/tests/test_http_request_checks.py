"""Nothing that a request says is passed over in silence."""

import json
from contextlib import suppress

import pytest

from gridtally.http.json_bodies import NAMES_OF_OBJECT_MAX, check_json, loads
from gridtally.http.problems import HttpRefusal
from gridtally.kernel.errors import Rejected
from problems import path_of

DEEP = 600


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("", None),
        ("?limit=7&status=open", None),
        ("?stauts=open", {"/query/stauts": "is not known here; is `status` meant?"}),
        ("?x&y=1", {"/query/x": "is not known here", "/query/y": "is not known here"}),
        ("?Limit=1", {"/query/Limit": "is not known here; is `limit` meant?"}),
        ("?limit=1&limit=2", {"/query/limit": "is given twice"}),
        ("?a%2Fb%7E=1", {"/query/a~1b~0": "is not known here"}),
        ("?" + "s" * 5000 + "=1", {"/query/" + "s" * 292 + "…": "is not known here"}),
    ],
)
async def test_parameters_that_no_endpoint_has_are_reported(client, headers, query, faults):
    answer = await client.get(f"/v1/orders{query}", headers=headers)
    if faults is None:
        assert answer.status_code == 200, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert {path_of(error): error["detail"] for error in answer.json()["errors"]} == faults


async def test_a_query_of_thousands_of_names_gets_an_answer_of_readable_length(client):
    answer = await client.get("/v1/orders?" + "&".join(f"statu{n}=1" for n in range(5000)))
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 100)


async def test_probes_may_add_what_they_like(client):
    assert (await client.get("/health/live?at=7")).status_code == 200


REFUSED = [
    (b'{"items":[{"amount":1,"amount":2}]}', "duplicate_key"),
    (b'{"items":[{"amount":1,"\\u0061mount":2}]}', "duplicate_key"),
    (b'{"items":[],"by_name":{"\\u003a":{"amount":1}},"items":[]}', "duplicate_key"),
    (b'{"items" : [],"items":[]}', "duplicate_key"),
    (b'{"items":[],"note":{"b":NaN}}', "invalid_json"),
    (b'{"items":[],"note":-Infinity}', "invalid_json"),
]
TAKEN = [
    b'{"items":[{"amount":1}],"note":"a:b, \\"c\\": NaN, \\u003a \\ud800"}',
    b'{"items" :\n[{"amount"\t: 1},{"amount":2}],"by_name":{"a:b":{"amount":3}}}',
    '{"items":[{"amount":1}]}'.encode("utf-16"),
    b'{"items":[],"long":123456789012345678901234567890,"deep":' + b"[" * 300 + b"]" * 300 + b"}",
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
async def test_a_body_that_says_two_things_or_no_number_is_refused(client, body, code):
    answer = await client.post(
        "/v1/orders", content=body, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("body", TAKEN)
async def test_any_other_body_is_taken(client, body):
    answer = await client.post(
        "/v1/orders", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("body", [body for body, code in REFUSED if code == "duplicate_key"])
def test_an_endpoint_that_reads_its_body_itself_refuses_the_same(body):
    with pytest.raises(Rejected, match="twice in one object"):
        loads(body)
    with pytest.raises(Rejected, match="twice in one object"):
        check_json(body, json.loads(body))


@pytest.mark.parametrize(
    "body",
    [
        b'["\\u0061",' + b"[" * DEEP + b"]" * DEEP + b"]",
        b'["\\u0061",' + b"1" * 10_000 + b"]",
    ],
)
def test_what_only_one_parser_takes_is_refused_and_no_failure(body):
    with suppress(Rejected):
        assert loads(body)[0] == "a"


@pytest.mark.parametrize("around", [b"%b", b'{"items":[1,{"a":[%b]}]}', b'[7,[],{"b":%b}]'])
def test_an_object_of_very_many_names_is_refused_however_deep_it_lies(around):
    wide, just = (
        around % json.dumps({f"f{n}": n for n in range(count)}).encode()
        for count in (NAMES_OF_OBJECT_MAX + 1, NAMES_OF_OBJECT_MAX)
    )
    with pytest.raises(HttpRefusal, match="at most 10000 names"):
        loads(wide)
    assert loads(just) == json.loads(just)
