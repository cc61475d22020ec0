"""The form of alert rules: what is shown of them, what is sent, and what is refused."""

import json

import httpx
import pytest

from doubles.console import seen, those_that

RULES = "/v1/alert-rules"
SPECIAL = {"kind": "dead_meter", "action": "raise", "limit": "6", "meter_type": "<i>", "flow": None}
STORED = {
    "version": 3,
    "settings": [
        SPECIAL,
        {"kind": "dead_meter", "action": "raise", "limit": "48", "meter_type": None,
         "flow": None},
        {"kind": "back_feed", "action": "raise", "limit": None, "meter_type": None, "flow": None},
    ],
    "kinds": [
        {"kind": "dead_meter", "meaning": "silent <b>", "unit": "hours", "limit": "24.0",
         "flows": [], "rules": []},
        {"kind": "stuck_meter", "meaning": "stuck", "unit": "hours", "limit": "72", "flows": [],
         "rules": []},
        {"kind": "back_feed", "meaning": "back", "unit": "kWh", "limit": "0.5", "flows": [],
         "rules": []},
    ],
}  # fmt: skip
FORM = {
    "version": "3", "action.dead_meter": "off", "limit.dead_meter": "48",
    "action.stuck_meter": "raise", "limit.stuck_meter": "",
}  # fmt: skip


@pytest.fixture
def services():
    return those_that(ingest={RULES: STORED})


def put(services):
    return [request for request in services["ingest"].asked if request.method == "PUT"]


async def test_every_kind_has_whether_and_from_where_on(services):
    answer, text = await seen(services, "/operations/alert-rules")
    assert "Usual: 24. silent &lt;b&gt;" in text
    assert 'value="48"' in answer.text
    assert "dead meter &lt;i&gt; any raise 6 hours" in text
    assert 'name="version" value="3"' in answer.text


async def test_what_holds_for_some_meters_and_what_the_form_lacks_stays(services):
    answer, _ = await seen(services, "/operations/alert-rules", FORM)
    assert answer.headers["location"] == "/operations/alert-rules?saved=yes"
    [request] = put(services)
    assert request.headers["if-match"] == '"3"'
    assert json.loads(request.content)["settings"] == [
        SPECIAL,
        {"kind": "dead_meter", "action": "off", "limit": "48"},
        {"kind": "stuck_meter", "action": "raise", "limit": None},
        STORED["settings"][2],
    ]


@pytest.mark.parametrize("limit", ["0", "-1", "many", "NaN", "Infinity", "<b>"])
async def test_a_wrong_limit_is_said_at_its_field(services, limit):
    answer, text = await seen(
        services, "/operations/alert-rules", FORM | {"limit.dead_meter": limit}
    )
    assert (answer.status_code, put(services)) == (422, [])
    assert "Give a number of hours above 0, such as 24" in text
    assert answer.text.count('aria-invalid="true"') == 1


async def test_rules_that_somebody_changed_meanwhile_are_shown_not_overwritten(services):
    problem = {"code": "precondition_failed", "detail": "another version", "errors": []}
    kind = {"content-type": "application/problem+json"}
    moved = httpx.Response(412, content=json.dumps(problem), headers=kind)
    theirs = STORED | {"version": 4}
    services["ingest"].answers[RULES] = lambda asked: moved if "settings" in asked else theirs
    typed = FORM | {"limit.dead_meter": "7"}
    answer, text = await seen(services, "/operations/alert-rules", typed)
    assert (answer.status_code, "Somebody changed the rules meanwhile" in text) == (422, True)
    assert 'name="version" value="4"' in answer.text
    # the other's rule and no longer what was typed: sent again, the form changes nothing of theirs
    assert 'value="48"' in answer.text
    assert 'value="7"' not in answer.text
    assert '<option value="raise" selected>' in field_of(answer.text, "action.dead_meter")


async def test_what_was_typed_stays_where_the_service_refuses_it(services):
    problem = {"code": "invalid", "detail": "not so", "errors": []}
    kind = {"content-type": "application/problem+json"}
    refusal = httpx.Response(422, content=json.dumps(problem), headers=kind)
    services["ingest"].answers[RULES] = lambda asked: refusal if "settings" in asked else STORED
    answer, _ = await seen(services, "/operations/alert-rules", FORM | {"limit.dead_meter": "7"})
    assert (answer.status_code, 'value="7"' in answer.text) == (422, True)


def field_of(html, name):
    return html.split(f'name="{name}"')[1].split("</select>")[0]
