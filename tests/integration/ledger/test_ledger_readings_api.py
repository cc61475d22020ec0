"""The ledger of readings by its API: what is entered, corrected, refused and never lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gridtally.contracts.metering import ReadingRecorded
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.http.idempotency import IdempotentRequest
from integration.ledger.properties import GOLDEN, HOME, problem
from problems import paths

MARCH, APRIL, MAY = "2025-03-01T06:00:00Z", "2025-04-01T06:00:00Z", "2025-05-01T06:00:00Z"


async def entered(client, meter, value, read_at, **fields):
    body = {"value": value, "read_at": read_at} | fields
    answer = await client.post(f"/v1/meters/{meter}/readings", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def published(ledger):
    """The entries that lie in the outbox, in order."""
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT value FROM outbox WHERE topic = $1 ORDER BY seq", ReadingRecorded.TOPIC
        )
    return [ReadingRecorded.model_validate_json(row["value"]) for row in rows]


def warned(reading):
    return [warning["code"] for warning in reading["warnings"]]


async def test_a_reading_is_entered_published_and_read_back(acme, home, ledger):
    reading = await entered(acme, home["total"], "12345.67", APRIL, note="by hand")
    assert (reading["value"], reading["read_at"], reading["version"], reading["kind"]) == (
        "12345.67", APRIL, 1, "reading",
    )  # fmt: skip
    assert warned(reading) == []
    answer = await acme.get(f"/v1/readings/{reading['id']}")
    assert answer.headers["ETag"] == '"1"'
    assert answer.json() == {name: v for name, v in reading.items() if name != "warnings"}
    [event] = await published(ledger)
    assert (event.kind, str(event.value), event.unit, event.digits, event.flow) == (
        "reading", "12345.67", "kWh", 9, "import",
    )  # fmt: skip
    assert str(event.entry_id) == reading["entry_id"]
    assert event.supersedes_id is None


async def test_without_a_moment_a_reading_is_of_now(acme, home):
    before = datetime.now(UTC)
    answer = await acme.post(f"/v1/meters/{home['gg']}/readings", json={"value": "1"})
    assert before <= datetime.fromisoformat(answer.json()["read_at"]) <= datetime.now(UTC)


REFUSED = {
    "derived meter": ("unmetered", {"value": "1"}, "derived_meter", "/meter_id"),
    "future": ("total", {"value": "1", "read_at": "2200-01-01T00:00:00Z"}, "future_reading",
               "/read_at"),
    "negative": ("total", {"value": "-0.001"}, "negative_value", "/value"),
    "decimals": ("total", {"value": "1.2345"}, "too_many_decimals", "/value"),
    "digits": ("total", {"value": "1000000000"}, "beyond_register", "/value"),
    "other register": ("total", {"value": "1", "flow": "export"}, "register_unknown", "/flow"),
    "no number": ("total", {"value": "NaN"}, "invalid_request", "/value"),
    "no zone": ("total", {"value": "1", "read_at": "2025-04-01T06:00:00"}, "invalid_request",
                "/read_at"),
    "year 1": ("total", {"value": "1", "read_at": "0001-01-01T00:00:00+14:00"}, "invalid_request",
               "/read_at"),
    "before there were meters": ("total", {"value": "1", "read_at": "0002-01-01T00:00:00Z"},
                                 "too_early", "/read_at"),
    "unknown field": ("total", {"value": "1", "valeu": "2"}, "invalid_request", "/valeu"),
}  # fmt: skip


@pytest.mark.parametrize(("meter", "body", "code", "path"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_reading_is_refused_and_leaves_nothing(
    acme, home, ledger, meter, body, code, path
):
    answer = await acme.post(f"/v1/meters/{home[meter]}/readings", json=body)
    assert problem(answer) == (422, code)
    assert paths(answer.json()) == [path]
    assert (await acme.get("/v1/readings")).json()["items"] == []
    assert await published(ledger) == []


async def test_an_unknown_meter(acme):
    answer = await acme.post(f"/v1/meters/{uuid4()}/readings", json={"value": "1"})
    assert problem(answer) == (404, "meter_unknown")
    for path in ("readings", "stats", "value", "series?from=2025-01-01&to=2025-02-01"):
        assert (await acme.get(f"/v1/meters/{uuid4()}/{path}")).status_code == 404, path


@pytest.mark.parametrize(
    ("value", "read_at", "expected"),
    [
        ("101", MAY, []),
        ("100", MAY, []),
        ("99.999", MAY, ["lower_than_last"]),
        ("101", MARCH, ["earlier_than_last", "higher_than_next"]),
        ("99", MARCH, ["earlier_than_last"]),
    ],
)
async def test_doubtful_readings_are_entered_with_a_warning(acme, home, value, read_at, expected):
    await entered(acme, home["total"], "100", APRIL)
    assert warned(await entered(acme, home["total"], value, read_at)) == expected


async def test_a_reading_between_others_is_compared_with_its_neighbours_in_time(acme, home):
    """100 in March and 300 in May; April is right between them, and doubtful beyond either."""
    await entered(acme, home["total"], "100", MARCH)
    await entered(acme, home["total"], "300", MAY)
    path = f"/v1/properties/{home['id']}/readings"
    items = [
        {"meter_type": "total", "value": value, "read_at": f"2025-04-{day:02}T00:00:00Z"}
        for day, value in ((10, "200"), (5, "150"), (7, "250"), (8, "99"))
    ]
    answer = (await acme.post(path, json={"items": items})).json()
    assert [warned(item["reading"])[1:] for item in answer["items"]] == [
        [], [], ["higher_than_next"], ["lower_than_last"],
    ]  # fmt: skip
    late = answer["items"][0]["reading"]
    changed = await acme.put(
        f"/v1/readings/{late['id']}", json={"value": "301", "read_at": late["read_at"]}
    )
    assert warned(changed.json()) == ["earlier_than_last", "higher_than_next"]


async def test_the_same_reading_again_is_the_one_that_exists(acme, home, ledger):
    first = await entered(acme, home["total"], "100", APRIL)
    path = f"/v1/meters/{home['total']}/readings"
    again = await acme.post(path, json={"value": "100.0", "read_at": APRIL})
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    other = await acme.post(path, json={"value": "101", "read_at": APRIL})
    assert problem(other) == (409, "reading_exists")
    assert len(await published(ledger)) == 1


async def test_eight_at_once_enter_one_reading(acme, home, ledger):
    path = f"/v1/meters/{home['total']}/readings"
    bodies = [{"value": f"{n}", "read_at": APRIL} for n in range(8)]
    answers = await asyncio.gather(*(acme.post(path, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(await published(ledger)) == 1


async def test_a_correction_supersedes_and_the_past_can_be_asked(acme, home, ledger):
    first = await entered(acme, home["total"], "1000", APRIL)
    path = f"/v1/readings/{first['id']}"
    body = {"value": "1100.5", "read_at": "2025-04-02T06:00:00Z", "note": "misread"}
    changed = await acme.put(path, json=body, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    second = changed.json()
    assert (second["id"], second["value"], second["supersedes_id"]) == (
        first["id"], "1100.5", first["entry_id"],
    )  # fmt: skip
    lost = await acme.put(path, json=body | {"value": "1"}, headers={"If-Match": '"1"'})
    assert problem(lost) == (412, "version_moved")
    assert (await acme.put(path, json=body)).json()["version"] == 2  # says what is there already
    assert (await acme.delete(path, params={"note": "wrong house"})).status_code == 204
    assert problem(await acme.get(path)) == (404, "reading_unknown")
    assert problem(await acme.put(path, json=body)) == (404, "reading_unknown")
    assert problem(await acme.delete(path)) == (404, "reading_unknown")
    history = (await acme.get(f"{path}/history")).json()
    assert [(e["version"], e["kind"], e["value"], e["note"]) for e in history] == [
        (1, "reading", "1000", ""),
        (2, "reading", "1100.5", "misread"),
        (3, "withdrawn", "1100.5", "wrong house"),
    ]
    for entry, value in zip(history, ("1000", "1100.5", None), strict=True):
        as_of = {"as_of": entry["created_at"]}
        known = await acme.get(path, params=as_of)
        assert known.json().get("value") == value
        listed = (await acme.get("/v1/readings", params=as_of)).json()["items"]
        assert [reading["value"] for reading in listed] == ([value] if value else [])
        assert len((await acme.get(f"{path}/history", params=as_of)).json()) == entry["version"]
    early = {"as_of": "2025-01-01T00:00:00Z"}
    assert (await acme.get(path, params=early)).status_code == 404
    events = await published(ledger)
    assert [(e.version, e.kind, str(e.value)) for e in events] == [
        (1, "reading", "1000"), (2, "reading", "1100.5"), (3, "withdrawn", "1100.5"),
    ]  # fmt: skip
    assert [e.supersedes_id for e in events[1:]] == [e.entry_id for e in events[:2]]
    assert warned(await entered(acme, home["total"], "5", MARCH)) == []  # nothing counts any more


async def test_a_correction_is_checked_like_a_reading(acme, home):
    await entered(acme, home["total"], "1000", APRIL)
    second = await entered(acme, home["total"], "1200", MAY)
    path = f"/v1/readings/{second['id']}"
    for body, expected in (
        ({"value": "-1", "read_at": MAY}, (422, "negative_value")),
        ({"value": "1", "read_at": "2200-01-01T00:00:00Z"}, (422, "future_reading")),
        ({"value": "1", "read_at": APRIL}, (409, "reading_exists")),
        ({"value": "1"}, (422, "invalid_request")),
    ):
        assert problem(await acme.put(path, json=body)) == expected
    lower = await acme.put(path, json={"value": "900", "read_at": MAY})
    assert warned(lower.json()) == ["lower_than_last"]


async def test_a_propertys_meters_are_read_together_or_not_at_all(acme, home, ledger):
    case = GOLDEN["derived-meter"]
    path = f"/v1/properties/{home['id']}/readings"
    items = [
        {"meter_type": type_, "value": case[type_], "read_at": APRIL} for type_ in ("gg", "sg")
    ]
    total = {"meter_id": home["total"], "value": case["total"], "read_at": APRIL}
    wrong = [
        {"meter_type": "unmetered", "value": "1"},
        {"meter_type": "solar", "value": "1"},
        {"value": "1"},
        {"meter_id": home["gg"], "value": "1", "read_at": APRIL},
        {"meter_id": str(uuid4()), "value": "1"},
    ]
    refused = await acme.post(path, json={"items": [*items, total, *wrong]})
    assert problem(refused) == (422, "readings_refused")
    assert paths(refused.json()) == [
        "/items/3/meter_id", "/items/4/meter_type", "/items/5/meter_id", "/items/6",
        "/items/7/meter_id",
    ]  # fmt: skip
    assert await published(ledger) == []
    some = await acme.post(path, json={"items": [*items, total, *wrong], "mode": "item_by_item"})
    assert some.status_code == 201, some.text
    assert (some.json()["accepted"], some.json()["refused"]) == (3, 5)
    assert [item.get("code") for item in some.json()["items"][3:]] == [
        "derived_meter", "foreign_meter", "meter_unnamed", "reading_exists", "foreign_meter",
    ]  # fmt: skip
    again = await acme.post(path, json={"items": [*items, total]})
    assert (again.status_code, again.json()["unchanged"]) == (200, 3)
    none = await acme.post(path, json={"items": wrong[:1], "mode": "item_by_item"})
    assert problem(none) == (422, "derived_meter")
    nowhere = await acme.post(f"/v1/properties/{uuid4()}/readings", json={"items": [total]})
    assert problem(nowhere) == (404, "property_unknown")
    assert len(await published(ledger)) == 3


async def test_readings_of_one_meter_in_one_request_are_seen_in_turn(acme, home):
    path = f"/v1/properties/{home['id']}/readings"
    items = [
        {"meter_type": "total", "value": "100", "read_at": MARCH},
        {"meter_type": "total", "value": "90", "read_at": APRIL},
        {"meter_type": "total", "value": "95", "read_at": APRIL},
        {"meter_type": "total", "value": "90.0", "read_at": APRIL},
    ]
    answer = await acme.post(path, json={"items": items, "mode": "item_by_item"})
    first, second, third, fourth = answer.json()["items"]
    assert (warned(first["reading"]), warned(second["reading"])) == ([], ["lower_than_last"])
    assert third["code"] == "reading_exists"
    assert (fourth["status"], fourth["reading"]["id"]) == ("unchanged", second["reading"]["id"])
    assert len((await acme.get("/v1/readings")).json()["items"]) == 2


async def test_a_post_that_comes_again_is_answered_from_memory(acme, home, ledger):
    path = f"/v1/meters/{home['total']}/readings"
    key = {"Idempotency-Key": f"k-{uuid4()}"}
    body = {"value": "7"}  # of now: without the key the second one would be another reading
    first = await acme.post(path, json=body, headers=key)
    again = await acme.post(path, json=body, headers=key)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["ETag"] == first.headers["ETag"]
    other = await acme.post(path, json={"value": "8"}, headers=key)
    assert problem(other) == (422, "idempotency_key_reused")
    elsewhere = await acme.post(f"/v1/meters/{home['gg']}/readings", json=body, headers=key)
    assert problem(elsewhere) == (422, "idempotency_key_reused")
    assert len(await published(ledger)) == 1
    refused = {"Idempotency-Key": "refused"}
    assert problem(await acme.post(path, json={"value": "-1"}, headers=refused)) == (
        422, "negative_value",
    )  # fmt: skip
    assert (await acme.post(path, json={"value": "9"}, headers=refused)).status_code == 201
    for bad in ("", "k" * 256, "naïve".encode()):
        answer = await acme.post(path, json=body, headers={"Idempotency-Key": bad})
        assert problem(answer) == (422, "invalid_request")


async def test_while_a_key_is_at_work_it_is_refused_and_then_answered(acme, home, ledger):
    path = f"/v1/meters/{home['total']}/readings"
    key = {"Idempotency-Key": "same"}
    answers = await asyncio.gather(
        *(acme.post(path, json={"value": "7"}, headers=key) for _ in range(6))
    )
    codes = {answer.status_code for answer in answers}
    assert codes <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "request_in_flight"
    }
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len(await published(ledger)) == 1


async def test_lists_come_in_pages_by_filter_and_in_either_order(acme, home):
    begin = datetime(2025, 3, 1, tzinfo=UTC)
    for n in range(7):
        await entered(acme, home["total"], f"{n}", (begin + timedelta(days=n)).isoformat())
    await entered(acme, home["gg"], "5", MARCH, quality="estimated")
    for sort, expected in (("read_at", list("0123456")), ("-read_at", list("6543210"))):
        seen, cursor = [], None
        while cursor is not None or not seen:
            params = {"limit": 3, "sort": sort} | ({"cursor": cursor} if cursor else {})
            page = await acme.get(f"/v1/meters/{home['total']}/readings", params=params)
            seen += [item["value"] for item in page.json()["items"]]
            cursor = page.json()["next_cursor"]
            other = {"sort": "read_at" if sort == "-read_at" else "-read_at", "cursor": cursor}
            if cursor:
                assert problem(await acme.get("/v1/readings", params=other)) == (
                    422, "invalid_cursor",
                )  # fmt: skip
        assert seen == expected

    async def values(**params):
        answer = await acme.get("/v1/readings", params=params)
        return [item["value"] for item in answer.json()["items"]]

    window = {"from": "2025-03-02T00:00:00Z", "to": "2025-03-04T00:00:00Z"}
    assert await values(meter_id=home["total"], **window) == ["1", "2"]
    assert await values(property_id=home["id"], quality="estimated") == ["5"]
    assert await values(property_id=str(uuid4())) == []
    assert await values(flow="export") == []
    assert len(await values(kind="reading")) == 8


async def test_tenants_see_their_own_readings_only(acme, home, clients):
    other, reader = await clients("other"), await clients("reader", "ledger:read")
    reading = await entered(acme, home["total"], "1", APRIL)
    for path in (f"/v1/readings/{reading['id']}", f"/v1/readings/{reading['id']}/history"):
        assert (await other.get(path)).status_code == 404
    assert (await other.get("/v1/readings")).json()["items"] == []
    assert (await other.delete(f"/v1/readings/{reading['id']}")).status_code == 404
    theirs = await other.post(f"/v1/meters/{home['total']}/readings", json={"value": "1"})
    assert problem(theirs) == (404, "meter_unknown")
    refused = await reader.post(f"/v1/meters/{home['total']}/readings", json={"value": "1"})
    assert problem(refused) == (403, "forbidden")


async def test_what_a_removed_property_was_read_stays_in_the_ledger(acme, ledger):
    body = HOME | {"id": str(uuid4())}
    made = (await acme.post("/v1/properties", json=body)).json()
    meter = made["meters"][2]["id"]
    reading = await entered(acme, meter, "100", APRIL)
    assert (await acme.delete(f"/v1/properties/{body['id']}")).status_code == 204
    path = f"/v1/readings/{reading['id']}"
    assert problem(await acme.get(path)) == (404, "reading_unknown")
    assert problem(await acme.delete(path)) == (404, "reading_unknown")
    assert (await acme.get(path, params={"as_of": reading["created_at"]})).json()["value"] == "100"
    assert len((await acme.get(f"{path}/history")).json()) == 1
    again = (await acme.post("/v1/properties", json=body)).json()
    assert again["meters"][2]["id"] == meter
    assert (await acme.get(f"/v1/meters/{meter}/readings")).json()["items"] == []
    assert warned(await entered(acme, meter, "5", MARCH)) == []
    assert len(await published(ledger)) == 2


async def test_a_key_that_is_at_work_is_refused_until_its_request_is_done(acme, home, ledger):
    path = f"/v1/meters/{home['total']}/readings"
    key = {"Idempotency-Key": "busy"}
    async with transaction(ledger, tenant="acme") as tx:
        assert await IdempotentRequest("busy", bytes(32)).fetch_answer(tx) is None
        answer = await acme.post(path, json={"value": "7"}, headers=key)
        assert problem(answer) == (409, "request_in_flight")
        free = await acme.post(path, json={"value": "6"}, headers={"Idempotency-Key": "free"})
        assert free.status_code == 201
    assert (await acme.post(path, json={"value": "7"}, headers=key)).status_code == 201


async def test_an_old_key_is_free_again(acme, home, ledger):
    path = f"/v1/meters/{home['total']}/readings"
    for n in range(3):
        key = {"Idempotency-Key": f"k{n}"}
        assert (await acme.post(path, json={"value": f"{n}"}, headers=key)).status_code == 201
    async with transaction(ledger, tenant="acme") as tx:
        await tx.raw.execute("UPDATE idempotency_key SET created_at = now() - interval '49 h'")
    again = await acme.post(path, json={"value": "9"}, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, "Idempotency-Replayed" in again.headers) == (201, False)
