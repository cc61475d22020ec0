"""A customer tries a tariff: what is asked of billing, what is shown, and what is refused."""

import json
import re
from datetime import date

import pytest

from doubles.console import page
from doubles.console.portal import HOSTILE, as_customer, portal, services
from gridtally.console.pages.portal.trial_form import Trial, read_trial
from gridtally.console.views.words import words_of

TODAY = date(2025, 11, 12)
FLAT = {"tariff_version_id": "v-flat", "name": HOSTILE, "code": "flat", "currency": "EUR"}
HOME = {"tariff_version_id": "v-home", "name": "Home", "code": "home", "currency": "EUR"}
PATH = "/v1/customers/c1/calculations"
OWN = {"when": "own", "tariff": "v-flat"}


def calculation(id_, offer, total, **fields):
    return {
        "calculation_id": id_, "customer_id": "c1", "start": "2025-10-01", "end": "2025-11-01",
        "tariff_version_id": offer["tariff_version_id"], "tariff_code": offer["code"],
        "tariff_name": offer["name"], "currency": "EUR", "total_cost": total,
        "breakdown": {"energy": total}, "expected_intervals": 2976, "present_intervals": 2232,
        "calculated_at": "2025-11-12T09:00:00Z",
    } | fields  # fmt: skip


TRIED = calculation("t1", FLAT, "69.00")
PRESENT = calculation("t2", HOME, "84.00", breakdown={"energy": "75.00", "basic-fee": "9.00"})


@pytest.fixture
def own():
    made = services()
    by_version = {item["tariff_version_id"]: item for item in (TRIED, PRESENT)}
    made["billing"].answers |= {
        "/v1/customers/c1/offers": {
            "customer_id": "c1",
            "on": "2025-12-01",
            "offered": [FLAT],
            "present": [HOME],
        },
        PATH: page(PRESENT, TRIED),
        f"{PATH}/t1": TRIED,
        f"{PATH}/t2": PRESENT,
        "/v1/bills/calculate-and-store": lambda asked: by_version[asked["tariff_version_id"]],
    }
    return made


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"tariff": "v-flat"}, ("2025-10-01", "2025-11-01")),
        ({"tariff": "v-flat", "when": "month"}, ("2025-10-01", "2025-11-01")),
        ({"tariff": "v-flat", "when": "year"}, ("2024-01-01", "2025-01-01")),
        (OWN | {"first": "2025-03-30", "last": "2025-03-30"}, ("2025-03-30", "2025-03-31")),
        (OWN | {"first": "2024-02-29", "last": "2025-02-28"}, ("2024-02-29", "2025-03-01")),
        (OWN | {"first": "2025-11-12", "last": "2025-11-12"}, ("2025-11-12", "2025-11-13")),
    ],
)
def test_the_form_names_days_of_which_the_last_is_meant_too(fields, days):
    trial, errors = read_trial(words_of("en"), fields, [FLAT], TODAY)
    assert errors == {}
    assert trial == Trial("v-flat", *map(date.fromisoformat, days))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"tariff"}),
        ({"tariff": "v-home"}, {"tariff"}),  # not offered
        (OWN, {"first", "last"}),
        (OWN | {"first": "soon", "last": "2025-02-30"}, {"first", "last"}),
        (OWN | {"first": "1999-12-31", "last": "2025-11-13"}, {"first", "last"}),
        (OWN | {"first": "2025-03-02", "last": "2025-03-01"}, {"last"}),
        (OWN | {"first": "2024-02-29", "last": "2025-03-01"}, {"last"}),  # 367 days
    ],
)
def test_what_is_wrong_is_said_of_its_field(fields, wrong):
    trial, errors = read_trial(words_of("en"), fields, [FLAT], TODAY)
    assert trial is None
    assert errors.keys() == wrong


async def test_a_tariff_is_tried_beside_the_present_one(own):
    async with portal(own) as browser:
        await as_customer(browser)
        form = await browser.get("/portal/try")
        own["billing"].asked.clear()
        made = await browser.post("/portal/try", data={"tariff": "v-flat", "when": "month"})
        posted = [request for request in own["billing"].asked if request.method == "POST"]
        assert (made.status_code, made.headers["location"]) == (303, "/portal/try/t1?beside=t2")
        shown = await browser.get(made.headers["location"])
    assert HOSTILE not in form.text + shown.text
    assert "Calculated before" in form.text
    assert form.text.count("/portal/try/t1?beside=t2") == 1
    assert "/portal/try/t2" not in form.text  # it stands beside the other
    assert {request.headers["gridtally-customer"] for request in posted} == {"c1"}
    assert len(posted) == 2
    # the month before the customer's day, who is ahead of UTC, where it is November still
    asked = [json.loads(request.content) for request in posted]
    assert {(body["start"], body["end"]) for body in asked} == {("2025-11-01", "2025-12-01")}
    text = text_of(shown)
    for said in (
        "€69.00", "Your tariff €84.00 Home", "You would save €15.00", "Electricity 69.00 75.00",
        "Basic fee – 9.00", "Total 69.00 84.00", "25 % of the readings are missing", "October 2025",
    ):  # fmt: skip
        assert said in text, said


async def test_without_one_present_tariff_it_stands_alone_and_says_why(own):
    offers = own["billing"].answers["/v1/customers/c1/offers"]
    async with portal(own) as browser:
        await as_customer(browser)
        for present, said in (
            ([], "You have no tariff now"),
            ([HOME, FLAT], "on several tariffs"),
        ):
            offers["present"] = present
            made = await browser.post("/portal/try", data={"tariff": "v-flat"})
            assert made.headers["location"] == "/portal/try/t1"
            offers["present"] = [item | {"tariff_version_id": item["code"]} for item in present]
            assert said in text_of(await browser.get("/portal/try/t1"))
        offers["present"] = [FLAT]
        assert "that you have now" in text_of(await browser.get("/portal/try/t1"))
        # what is beside it is of other days, or not there: it is left out
        own["billing"].answers[f"{PATH}/t2"] = PRESENT | {"end": "2025-10-02"}
        for beside in ("t2", "unknown"):
            shown = text_of(await browser.get(f"/portal/try/t1?beside={beside}"))
            assert "You would" not in shown


async def test_what_cannot_be_calculated_is_said_in_the_customers_words(own):
    billing = own["billing"]
    async with portal(own) as browser:
        await as_customer(browser)
        wrong = await browser.post(
            "/portal/try", data=OWN | {"first": "2025-03-02", "last": HOSTILE}
        )
        assert wrong.status_code == 422
        assert 'aria-invalid="true"' in wrong.text
        assert 'value="2025-03-02"' in wrong.text
        assert HOSTILE not in wrong.text
        billing.answers["/v1/bills/calculate-and-store"] = None
        refused = await browser.post("/portal/try", data={"tariff": "v-flat"})
        assert refused.status_code == 422
        assert "These days cannot be calculated by this tariff" in refused.text
        billing.answers["/v1/customers/c1/offers"]["offered"] = []
        assert "No tariff to try" in (await browser.get("/portal/try")).text
        assert (await browser.get("/portal/try/t9")).status_code == 404
        billing.is_away = True
        away = await browser.post("/portal/try", data={"tariff": "v-flat"})
        assert (away.status_code, "cannot be shown just now" in away.text) == (502, True)
