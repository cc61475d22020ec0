"""A customer sends readings: what is sent to the ledger, asked about, refused, and shown."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from doubles.console.portal import HOSTILE, as_customer, portal, services
from gridtally.console.pages.portal.reading_form import (
    Typed,
    doubts,
    field_name,
    read_typed,
    reading_form,
)
from gridtally.console.upstream import Failure, FieldError
from gridtally.console.views.words import words_of

NOW = datetime(2025, 11, 12, 9, tzinfo=UTC)
FLAT = {
    "meter_id": "m1", "meter_name": HOSTILE, "property_name": "Flat", "zone": "Europe/Stockholm",
    "flow": "import", "digits": 5, "decimals": 1,
    "last": {"value": "1234.5", "read_at": "2025-10-31T23:30:00Z", "is_by_customer": False},
    "before_last": None, "end_on": None,
}  # fmt: skip
SOLAR = FLAT | {"flow": "export", "last": None}
NAME, EXPORTED = field_name(FLAT), field_name(SOLAR)
TODAY = {"read_on": "2025-11-12"}


@pytest.fixture
def own():
    made = services()
    made["ledger"].answers |= {
        "/v1/customers/c1/registers": {"customer_id": "c1", "items": [FLAT, SOLAR]},
        "/v1/customers/c1/readings": {"customer_id": "c1", "items": []},
    }
    return made


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def sent(own):
    return [
        json.loads(request.content) for request in own["ledger"].asked if request.method == "POST"
    ]


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "1300", "1300"),
        ("en", "01300.5", "1300.5"),
        ("en", "1,300.5", "1300.5"),
        ("en", "12,345", "12345"),
        ("de", "1.300,5", "1300.5"),
        ("de", "12.345", "12345"),
        ("de", "1300.5", "1300.5"),
        ("sv", "1 300,5", "1300.5"),
        ("fr", "1\u202f300,5", "1300.5"),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(language, text, value):
    typed, errors = read_typed(words_of(language), {NAME: text} | TODAY, [FLAT], NOW)
    assert errors == {}
    assert typed == Typed({NAME: Decimal(value)}, date(2025, 11, 12))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (TODAY, {NAME}),
        ({}, {NAME, "read_on"}),
        ({NAME: "1300"} | {"read_on": "2025-11-13"}, {"read_on"}),
        ({NAME: "1300"} | {"read_on": "2025-09-12"}, {"read_on"}),
        ({NAME: "many"} | TODAY, {NAME}),
        ({NAME: "1e3"} | TODAY, {NAME}),
        ({NAME: "-5"} | TODAY, {NAME}),
        ({NAME: "1300.55"} | TODAY, {NAME}),
        ({NAME: "100000"} | TODAY, {NAME}),
        ({NAME: "9" * 40, EXPORTED: HOSTILE} | TODAY, {NAME, EXPORTED}),
    ],
)
def test_what_is_wrong_is_said_of_its_field(fields, wrong):
    typed, errors = read_typed(words_of("en"), fields, [FLAT, SOLAR], NOW)
    assert typed is None
    assert errors.keys() == wrong
    assert all(errors.values())


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2025-11-13", "Choose a day up to today."),
        ("2025-11-12", "Choose a day up to November 2, 2025."),
        ("2025-11-02", None),
        ("2025-09-13", None),
        ("2025-09-12", "Choose a day from September 13, 2025 on."),
    ],
)
def test_who_moved_out_sends_a_day_that_was_its_own(day, said):
    moved = FLAT | {"end_on": "2025-11-03"}
    words = words_of("en")
    typed, errors = read_typed(words, {NAME: "1300", "read_on": day}, [moved, SOLAR], NOW)
    assert errors == ({} if said is None else {"read_on": said})
    assert (typed is None) == (said is not None)
    likely = {tuple(own["end_on"] for own in registers): reading_form(
        words, {}, registers, {}, NOW
    ).fields[-1].value for registers in ([moved], [moved, SOLAR])}  # fmt: skip
    assert likely == {("2025-11-03",): "2025-11-02", ("2025-11-03", None): "2025-11-12"}


def test_a_doubt_names_what_was_compared_with():
    """Which is not the reading of the same day that is sent once more."""
    own = {"value": "1500", "read_at": "2025-11-12T08:00:00Z", "is_by_customer": True}
    again = FLAT | {"last": own, "before_last": FLAT["last"]}
    fault = FieldError("is doubtful", "#/items/0/value")
    words = words_of("en")
    for code, register, day, said in (
        ("reading_unconfirmed", again, 12, "lower than the last reading, 1,234.5."),
        ("reading_unconfirmed", again, 11, "before the last reading, of November 12, 2025."),
        ("reading_unconfirmed", FLAT | {"last": own}, 12, "Please look once more."),
        ("reading_contradicts", again, 12, "does not fit the readings before and after"),
    ):
        typed = Typed({NAME: Decimal(1200)}, date(2025, 11, day))
        failure = Failure("ledger", 422, code, "is doubtful", "c", (fault,))
        assert said in doubts(words, typed, [register], failure)[NAME]


async def test_readings_are_sent_with_their_day(own):
    async with portal(own) as browser:
        await as_customer(browser)
        form = await browser.get("/portal/readings")
        made = await browser.post("/portal/readings", data={NAME: "1300,5", EXPORTED: ""} | TODAY)
        assert made.headers["location"] == "/portal/readings"
        assert "HttpOnly; SameSite=Strict" in made.headers["set-cookie"]
        thanks, once_more = [await browser.get("/portal/readings") for _ in range(2)]
        forged = await browser.get("/portal/readings?sent=yes")
    assert HOSTILE not in form.text
    assert 'inputmode="decimal"' in form.text
    for said in (
        "taken from the grid", "fed into the grid",
        "Last: 1,234.5 on November 1, 2025. kWh, up to 5 digits and 1 decimals.",
    ):  # fmt: skip
        assert said in text_of(form), said
    assert sent(own) == [
        {
            "read_on": "2025-11-12",
            "items": [{"meter_id": "m1", "flow": "import", "value": "1300.5"}],
            "confirmed": False,
        }
    ]
    assert "Thank you." in thanks.text
    assert "send it again with the same day" in thanks.text
    assert "Thank you." not in once_more.text + forged.text


async def test_what_is_doubtful_is_asked_about_and_confirmed_only_as_it_was(own):
    problem = {
        "code": "reading_unconfirmed", "detail": "is doubtful",
        "errors": [{"pointer": "#/items/0/value", "detail": "is lower than the last reading"}],
    }  # fmt: skip
    kind = {"content-type": "application/problem+json"}

    def answered(body):
        if body["confirmed"]:
            return {"customer_id": "c1", "items": []}
        return httpx.Response(422, content=json.dumps(problem), headers=kind)

    own["ledger"].answers["/v1/customers/c1/readings"] = answered
    async with portal(own) as browser:
        await as_customer(browser)
        for value, day, said in (
            ("1200", "2025-11-12", "This is lower than the last reading, 1,234.5."),
            ("99999", "2025-11-12", "much more than expected after the last reading, 1,234.5."),
            ("1235", "2025-10-31", "lies before the last reading, of November 1, 2025."),
        ):
            asked = await browser.post("/portal/readings", data={NAME: value, "read_on": day})
            assert asked.status_code == 422
            assert said in text_of(asked)
            assert f'value="{value}"' in asked.text
            confirmed = re.search(r'name="confirmed" value="([^"]+)"', asked.text)[1]
            again = {"read_on": day, "confirmed": confirmed}
            other = await browser.post("/portal/readings", data=again | {NAME: "1234"})
            assert other.status_code == 422  # another value is asked about itself
            sure = await browser.post("/portal/readings", data=again | {NAME: value})
            assert sure.status_code == 303


async def test_other_meters_are_not_there_and_refusals_are_said(own):
    ledger = own["ledger"]
    async with portal(own) as browser:
        await as_customer(browser)
        foreign = await browser.post("/portal/readings", data={"register.m9.import": "5"} | TODAY)
        assert (foreign.status_code, sent(own)) == (404, [])
        wrong = await browser.post("/portal/readings", data={NAME: HOSTILE} | TODAY)
        assert wrong.status_code == 422
        assert HOSTILE not in wrong.text
        assert 'aria-invalid="true"' in wrong.text
        ledger.answers["/v1/customers/c1/readings"] = None
        gone = await browser.post("/portal/readings", data={NAME: "1300"} | TODAY)
        assert gone.status_code == 404
        for status, code, said in (
            (409, "reading_exists", "cannot be entered"),
            (422, "reading_contradicts", "look at the fields below"),
            (403, "forbidden", "keeps none"),
        ):
            problem = {"code": code, "detail": "no", "errors": []}
            ledger.answers["/v1/customers/c1/readings"] = httpx.Response(
                status,
                content=json.dumps(problem),
                headers={"content-type": "application/problem+json"},
            )
            refused = await browser.post("/portal/readings", data={NAME: "1300"} | TODAY)
            assert (refused.status_code, said in refused.text) == (422, True)
        ledger.answers["/v1/customers/c1/registers"] = {"customer_id": "c1", "items": []}
        assert "No meter to read" in (await browser.get("/portal/readings")).text
        empty = await browser.post("/portal/readings", data={NAME: "1300"} | TODAY)
        assert (empty.status_code, "No meter to read" in empty.text) == (422, True)
        ledger.is_away = True
        away = await browser.post("/portal/readings", data={NAME: "1300"} | TODAY)
        assert (away.status_code, "cannot be shown just now" in away.text) == (502, True)
