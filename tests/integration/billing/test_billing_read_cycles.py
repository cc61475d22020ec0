"""Read cycles over HTTP, and the agreements that follow their dates."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from gridtally.billing.handlers import read_cycles
from gridtally.billing.store import agreements
from gridtally.billing.store.adoption import PublishedAgreement, adopt_agreements
from gridtally.kernel.billing_calendars import BillingCalendar
from gridtally.kernel.periods import Period
from problems import paths

PATH = "/v1/read-cycles/route-7"
DATES = ["2025-01-07", "2025-02-04", "2025-03-06"]
MORE = [*DATES, "2025-04-04"]
ON_ROUTE_7 = {"months": 1, "anchor_month": 1, "start_day": 1, "read_cycle": "route-7"}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


@pytest.fixture
def spread(world, make):
    """Spread dates until there are none left to spread."""

    async def run():
        rounds = []
        while not rounds or rounds[-1]:
            async with world.transaction() as tx:
                rounds.append(await read_cycles.spread_read_dates(tx, make.NOW))
        return sum(rounds)

    return run


async def put(api, dates, status=200, **headers):
    answer = await api.put(PATH, json={"dates": dates}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


async def agreed(api, count=1, calendar=None, customers_calendar=None, status=201):
    payer = {"name": "Ada", "currency": "EUR", "billing_calendar": customers_calendar}
    customer_id = (await api.post("/v1/customers", json=payer)).json()["id"]
    items = [
        {"customer_id": customer_id, "meter_id": str(uuid4()), "tariff_id": str(uuid4()),
         "start_on": "2025-01-01", "billing_calendar": calendar}
        for _ in range(count)
    ]  # fmt: skip
    answer = await api.post("/v1/agreements/batch", json={"items": items})
    assert answer.status_code == status, answer.text
    return answer.json()["items"] if status == 201 else answer.json()


async def published(world):
    """The dates of each version of each agreement that was published."""
    rows = await world.rows(
        "SELECT convert_from(value, 'utf8')::json AS value FROM outbox "
        "WHERE topic = 'agreement.changed.v1' AND tenant_id = $1 ORDER BY seq",
        world.tenant,
        tenant="*",
    )
    return [
        (row["value"]["version"], row["value"]["billing_calendar"]["read_dates"]) for row in rows
    ]


async def test_a_cycle_is_made_read_and_gets_dates(api, clients):
    assert (await api.get(PATH)).json()["code"] == "read_cycle_unknown"
    made = await put(api, DATES)
    assert (made.headers["etag"], made.json()["dates"]) == ('"1"', DATES)
    assert (await put(api, DATES)).headers["etag"] == '"1"'
    changed = await put(api, MORE, **{"If-Match": '"1"'})
    assert (changed.headers["etag"], changed.json()["dates"]) == ('"2"', MORE)
    await put(api, DATES, 412, **{"If-Match": '"1"'})
    assert (await api.get(PATH)).json() == changed.json()
    await api.put("/v1/read-cycles/a", json={"dates": DATES})
    first = (await api.get("/v1/read-cycles", params={"limit": 1})).json()
    assert [cycle["name"] for cycle in first["items"]] == ["a"]
    rest = await api.get("/v1/read-cycles", params={"cursor": first["next_cursor"]})
    assert [cycle["name"] for cycle in rest.json()["items"]] == ["route-7"]
    another = await clients("another")
    assert (await another.get(PATH)).status_code == 404
    await put(another, DATES[:1])
    assert (await api.get(PATH)).json() == changed.json()


@pytest.mark.parametrize(
    "dates",
    [[], ["2025-02-04", "2025-01-07"], ["2025-01-07"] * 2, ["2025-01-07", "2026-01-09"],
     ["1999-01-01"], ["2025-02-30"], [str(date.fromordinal(735_000 + n)) for n in range(501)]],
)  # fmt: skip
async def test_dates_must_follow_one_another(api, dates):
    assert (await put(api, dates, 422)).json()["code"] == "invalid_request"


async def test_an_agreement_names_a_cycle_that_is_there(api, world):
    refused = await agreed(api, 2, {"read_cycle": "route-7"}, status=422)
    assert refused["code"] == "read_cycle_unknown"
    assert paths(refused) == [f"/items/{n}/billing_calendar/read_cycle" for n in (0, 1)]
    await put(api, DATES)
    (made,) = await agreed(api, 1, {"read_cycle": "route-7"})
    assert made["billing_calendar"] == ON_ROUTE_7
    (by_customer,) = await agreed(api, customers_calendar={"read_cycle": "route-7"})
    assert by_customer["billing_calendar"] == ON_ROUTE_7
    assert await published(world) == [(1, DATES)] * 2
    wrong = {"read_cycle": "route-7", "months": 2}
    assert (await agreed(api, 1, wrong, status=422))["code"] == "invalid_request"


async def test_the_same_agreement_again_is_the_same_though_its_cycle_has_more_dates(api):
    await put(api, DATES)
    (made,) = await agreed(api, 1, {"read_cycle": "route-7"})
    await put(api, MORE)
    body = {name: made[name] for name in ("id", "customer_id", "meter_id", "tariff_id", "start_on")}
    body |= {"billing_calendar": {"read_cycle": "route-7"}}
    again = await api.post("/v1/agreements", json=body)
    assert (again.status_code, again.json()) == (200, made)


async def test_agreements_follow_the_dates_of_their_cycle(api, world, spread, monkeypatch):
    """Three at a time, each once; those on other calendars stay."""
    monkeypatch.setattr(read_cycles, "AGREEMENTS_MAX", 3)
    await put(api, DATES)
    on_cycle = await agreed(api, 7, {"read_cycle": "route-7"})
    (other,) = await agreed(api)
    assert await spread() == 0
    await put(api, MORE)
    assert await spread() == 7
    assert await spread() == 0
    events = await published(world)
    assert events[:8] == [(1, DATES)] * 7 + [(1, [])]
    assert events[8:] == [(2, MORE)] * 7
    changed = (await api.get(f"/v1/agreements/{on_cycle[0]['id']}")).json()
    assert changed == on_cycle[0] | {"version": 2}
    assert (await api.get(f"/v1/agreements/{other['id']}")).json() == other


async def test_an_agreement_comes_to_a_cycle_and_leaves_it(api, spread):
    await put(api, DATES)
    (made,) = await agreed(api)
    path = f"/v1/agreements/{made['id']}"
    change = {"billing_calendar": {"read_cycle": "route-7"}, "billing_calendar_from_on": DATES[1]}
    come = await api.patch(path, json=change, headers={"If-Match": '"1"'})
    assert come.json()["billing_calendar"] == ON_ROUTE_7
    leave = {"billing_calendar": {}, "billing_calendar_from_on": DATES[2]}
    left = await api.patch(path, json=leave, headers={"If-Match": '"2"'})
    assert [earlier["until_on"] for earlier in left.json()["earlier_calendars"]] == DATES[1:]
    await put(api, MORE)
    assert await spread() == 1  # the cycle alone
    assert (await api.get(path)).json() == left.json()
    unknown = {"billing_calendar": {"read_cycle": "route-8"}}
    refused = await api.patch(path, json=unknown, headers={"If-Match": '"3"'})
    assert paths(refused.json()) == ["/billing_calendar/read_cycle"]


async def test_periods_of_a_cycle_are_previewed_and_billed(world, make, api, spread):
    """28 days of 9.6 kWh × 0.30 = 80.64; 12.50 × (25/31 + 3/28) = 11.42 (11.4199…); 19 % of
    92.0599… = 17.49. The next date is expected after 30 days, as many as the last period had."""
    await put(api, DATES)
    home = await world.home()
    change = {"billing_calendar": {"read_cycle": "route-7"},
              "billing_calendar_from_on": "2025-01-01"}  # fmt: skip
    path = f"/v1/agreements/{home.id}"
    assert (await api.patch(path, json=change, headers={"If-Match": '"1"'})).status_code == 200
    period = Period(date(2025, 1, 7), date(2025, 2, 4))
    for day in [*period.dates(), date(2025, 3, 8), date(2025, 3, 9)]:
        await world.use(make.used(home.meter_id, day))
    preview = (await api.get(f"{path}/preview", params={"on": "2025-01-20"})).json()
    assert (preview["start_on"], preview["end_on"]) == ("2025-01-07", "2025-02-04")
    await world.close(make.closed(home, period=period))
    (invoice,) = await world.invoices()
    assert preview["so_far"]["total"] == str(invoice["total"]) == "109.55"
    last = (await api.get(f"{path}/preview", params={"on": "2025-03-10"})).json()
    assert (last["start_on"], last["end_on"]) == ("2025-03-06", "2025-04-05")
    await put(api, MORE)
    await spread()
    last = (await api.get(f"{path}/preview", params={"on": "2025-03-10"})).json()
    assert (last["start_on"], last["end_on"]) == ("2025-03-06", "2025-04-04")


async def test_after_a_restore_a_cycle_has_the_dates_that_agreements_were_published_with(
    api, world, make, spread
):
    """Of two agreements, of which one had not followed yet; a cycle that has more keeps them."""
    await put(api, DATES)
    ahead, behind = await agreed(api, 2, {"read_cycle": "route-7"})
    longer = BillingCalendar(read_cycle="route-7", read_dates=tuple(map(date.fromisoformat, MORE)))
    new = BillingCalendar(read_cycle="route-8", read_dates=(date(2025, 5, 1),))
    async with world.transaction() as tx:
        known = await agreements.fetch_agreements(
            tx, world.tenant, [UUID(item["id"]) for item in (ahead, behind)]
        )
        published = [
            PublishedAgreement(world.tenant, replace(agreement, version=2, **changed), make.NOW)
            for agreement, changed in zip(
                known.values(), ({"billing_calendar": longer}, {"billing_calendar": new}),
                strict=True,
            )
        ]  # fmt: skip
        for _ in range(2):
            assert list(await adopt_agreements(tx, published)) == []
    assert (await api.get(PATH)).json()["dates"] == MORE
    assert (await api.get(PATH)).json()["version"] == 2
    assert (await api.get("/v1/read-cycles/route-8")).json()["dates"] == ["2025-05-01"]
    assert await spread() == 2  # the two cycles, whose agreements have their dates
