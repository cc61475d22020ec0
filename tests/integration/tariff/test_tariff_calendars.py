"""Calendars by their API: versions for good, what kind of day a date is, and tariffs by them."""

import asyncio

from gridtally.contracts.catalogue import CalendarPublished
from integration.tariff.steps import (
    CALENDAR,
    DOCUMENT,
    TARIFF,
    created,
    drafted,
    events,
    key_of,
    path_of,
    paths,
    problem,
    published,
    published_calendar,
    walk,
)

ANY = {"If-Match": "*"}
WORKDAYS = {
    "seasons": [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "04-01"}],
    "day_types": [
        {
            "name": "workday",
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "holidays": "excluded",
        }
    ],
    "holidays": {"country": "DE", "subdivision": "BE"},
}
WITH_DECEMBER = WORKDAYS | {"holidays": WORKDAYS["holidays"] | {"dates": ["2025-12-24"]}}
BY_WORKDAY = DOCUMENT | {
    "components": [
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "work", "rate": "0.30"}, {"name": "rest", "rate": "0.20"}],
            "windows": [
                {
                    "band": "work",
                    "from_time": "00:00",
                    "to_time": "24:00",
                    "day_types": ["workday"],
                }
            ],
            "default_band": "rest",
        }
    ]
}


async def test_a_calendar_from_draft_to_published(clients, catalogue):
    acme = await clients("acme")
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    path = f"/v1/calendars/{calendar['id']}"
    days = {"from": "2025-12-24", "to": "2025-12-27"}
    unpublished = await acme.get(f"{path}/days", params=days)
    assert problem(unpublished) == (404, "calendar_unpublished")
    draft = await created(acme, f"{path}/versions", {"document": WORKDAYS})
    assert (draft["number"], draft["status"], draft["published"]) == (1, "draft", None)
    first_path = f"{path}/versions/1"
    assert problem(await acme.put(first_path, json={"document": {}}))[0] == 428
    wrong = {"document": {"seasons": [{"name": "a", "start": "13-01"}]}}
    answer = await acme.put(first_path, json=wrong, headers=ANY)
    assert (problem(answer), paths(answer)) == (
        (422, "invalid_calendar"), ["/document/seasons/0"],
    )  # fmt: skip
    changed = await acme.put(
        first_path, json={"document": WITH_DECEMBER}, headers={"If-Match": '"1"'}
    )
    assert (changed.json()["document"], changed.headers["ETag"]) == (WITH_DECEMBER, '"2"')
    stale = await acme.post(f"{first_path}/publish", headers={"If-Match": '"1"'})
    assert problem(stale) == (412, "version_moved")
    answers = await asyncio.gather(*(acme.post(f"{first_path}/publish") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    first = answers[0].json()
    assert (first["status"], first["published"]["key_id"]) == ("published", key_of(acme))
    retried = await acme.post(f"{first_path}/publish", headers={"If-Match": '"2"'})
    assert retried.json() == first
    for late in (
        await acme.put(first_path, json={"document": {}}, headers=ANY),
        await acme.delete(first_path, headers=ANY),
    ):
        assert problem(late) == (409, "version_immutable")
    ((key, value),) = await events(catalogue)
    event = CalendarPublished.model_validate(value)
    assert (key, event.number, event.document) == (f"acme:{calendar['id']}", 1, WITH_DECEMBER)
    shown = (await acme.get(f"{path}/days", params=days)).json()
    assert shown["number"] == 1
    assert [
        (day["day"][-2:], day["season"], day["day_types"], day["holiday"], day["holiday_name"])
        for day in shown["days"]
    ] == [
        ("24", "winter", [], True, None),
        ("25", "winter", [], True, "Erster Weihnachtstag"),
        ("26", "winter", [], True, "Zweiter Weihnachtstag"),
    ]
    assert await walk(acme, f"{path}/versions", "number", status="published") == [1]
    other = await clients("other")
    assert problem(await other.get(f"{path}/days", params=days)) == (404, "calendar_unknown")


async def test_days_are_listed_within_bounds(clients):
    acme = await clients("acme")
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    await published_calendar(acme, calendar, {})
    for start_on, end_on, code in (
        ("2025-01-01", "2025-01-01", "empty_period"),
        ("2025-01-02", "2025-01-01", "empty_period"),
        ("2025-01-01", "2028-01-07", "long_period"),
        ("0001-01-01", "0001-01-02", "distant_date"),
        ("9999-12-30", "9999-12-31", "distant_date"),
    ):
        answer = await acme.get(
            f"/v1/calendars/{calendar['id']}/days", params={"from": start_on, "to": end_on}
        )
        assert problem(answer) == (422, code)


async def test_a_version_keeps_the_calendar_that_it_was_published_with(clients, catalogue):
    acme = await clients("acme")
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    home = await created(acme, "/v1/tariffs", TARIFF)
    named = BY_WORKDAY | {"calendar_id": calendar["id"]}
    path = f"/v1/tariffs/{home['id']}/versions"
    body = {"effective_from": "2025-01-01", "document": named}
    answer = await acme.post(path, json=body)
    assert (problem(answer), paths(answer)) == (
        (422, "invalid_tariff"), ["/document/calendar_id"],
    )  # fmt: skip
    await published_calendar(acme, calendar, WORKDAYS)
    draft = await drafted(acme, home, document=named)
    assert (draft["document"], draft["calendar"]) == (named, None)
    both = body | {"document": named | {"calendar": WORKDAYS}}
    assert paths(await acme.post(path, json=both)) == ["/document/calendar_id"]
    await published_calendar(acme, calendar, WITH_DECEMBER)
    first = (await acme.post(path_of(draft, "publish"))).json()
    assert first["document"] == BY_WORKDAY | {"calendar": WITH_DECEMBER}
    assert first["calendar"] == {"id": calendar["id"], "number": 2}
    await published_calendar(acme, calendar, WORKDAYS)
    assert (await acme.get(path_of(draft))).json() == first
    again = await acme.post(path, json=body | {"id": draft["id"]})
    assert (again.status_code, again.json()) == (200, first)
    second = await published(acme, home, "2025-02-01", document=named)
    assert second["document"] == BY_WORKDAY | {"calendar": WORKDAYS}
    emitted = [value for key, value in await events(catalogue) if "tariff_id" in value]
    assert [(value["document"]["calendar"], value["calendar_number"]) for value in emitted] == [
        (WITH_DECEMBER, 2), (WORKDAYS, 3),
    ]  # fmt: skip


async def test_a_calendar_that_no_longer_fits_keeps_a_draft_from_being_published(clients):
    acme = await clients("acme")
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    await published_calendar(acme, calendar, WORKDAYS)
    home = await created(acme, "/v1/tariffs", TARIFF)
    named = BY_WORKDAY | {"calendar_id": calendar["id"]}
    draft = await drafted(acme, home, document=named)
    await published_calendar(acme, calendar, {})
    answer = await acme.post(path_of(draft, "publish"))
    assert (problem(answer), paths(answer)) == (
        (422, "invalid_tariff"), ["/document/components/0"],
    )  # fmt: skip
    assert (await acme.get(path_of(draft))).json() == draft


async def test_a_calendar_of_another_tenant_is_none(clients):
    acme, other = await clients("acme"), await clients("other")
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    await published_calendar(acme, calendar, WORKDAYS)
    home = await created(other, "/v1/tariffs", TARIFF)
    body = {
        "effective_from": "2025-01-01",
        "document": BY_WORKDAY | {"calendar_id": calendar["id"]},
    }
    answer = await other.post(f"/v1/tariffs/{home['id']}/versions", json=body)
    assert paths(answer) == ["/document/calendar_id"]
