"""Billing calendars of customers and agreements over HTTP, and bills of their periods."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from gridtally.kernel.billing_calendars import BillingCalendar
from gridtally.kernel.periods import Period
from problems import paths

MONTHS = {"months": 1, "anchor_month": 1, "start_day": 1, "read_cycle": None}
QUARTERS = MONTHS | {"months": 3, "anchor_month": 2}
FROM_THE_31ST = MONTHS | {"start_day": 31}
FIRST = {"If-Match": '"1"'}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def customer(api, **changes):
    answer = await api.post("/v1/customers", json={"name": "Ada", "currency": "EUR"} | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


def agreement(payer, **changes):
    ids = {name: str(uuid4()) for name in ("id", "meter_id", "tariff_id")}
    return ids | {"customer_id": payer["id"], "start_on": "2025-01-01"} | changes


async def agreed(api, payer, **changes):
    answer = await api.post("/v1/agreements", json=agreement(payer, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_agreement_has_its_own_calendar_its_customers_or_months(api):
    plain, quarterly = await customer(api), await customer(api, billing_calendar={"months": 3})
    assert (plain["billing_calendar"], quarterly["billing_calendar"]) == (
        None,
        MONTHS | {"months": 3},
    )
    assert (await agreed(api, plain))["billing_calendar"] == MONTHS
    assert (await agreed(api, quarterly))["billing_calendar"]["months"] == 3
    own = await agreed(api, quarterly, billing_calendar={"start_day": 31})
    assert own["billing_calendar"] == FROM_THE_31ST
    assert own["earlier_calendars"] == []
    assert (await api.get(f"/v1/agreements/{own['id']}")).json() == own
    listed = (await api.get("/v1/agreements", params={"customer_id": plain["id"]})).json()
    assert [item["billing_calendar"] for item in listed["items"]] == [MONTHS]


async def test_a_batch_may_mix_them(api):
    payer = await customer(api, billing_calendar=QUARTERS)
    items = [agreement(payer), agreement(payer, billing_calendar=FROM_THE_31ST)]
    answer = await api.post("/v1/agreements/batch", json={"items": items})
    calendars = [item["billing_calendar"] for item in answer.json()["items"]]
    assert (answer.status_code, calendars) == (201, [QUARTERS, FROM_THE_31ST])
    assert (await api.post("/v1/agreements/batch", json={"items": items})).status_code == 200


async def test_the_same_agreement_again_is_the_same_whatever_its_customer_has_by_then(api):
    payer = await customer(api)
    body = agreement(payer)
    made = await api.post("/v1/agreements", json=body)
    path = f"/v1/customers/{payer['id']}"
    changed = await api.patch(path, json={"billing_calendar": QUARTERS}, headers=FIRST)
    assert changed.json()["billing_calendar"] == QUARTERS
    again = await api.post("/v1/agreements", json=body)
    assert (again.status_code, again.json()) == (200, made.json())
    other = await api.post("/v1/agreements", json=body | {"billing_calendar": QUARTERS})
    assert (other.status_code, other.json()["code"]) == (409, "agreement_exists")
    emptied = await api.patch(path, json={"billing_calendar": None}, headers={"If-Match": '"2"'})
    assert emptied.json()["billing_calendar"] is None


async def test_a_change_is_of_its_day_and_published(api, world):
    made = await agreed(api, await customer(api))
    path = f"/v1/agreements/{made['id']}"
    change = {"billing_calendar": QUARTERS, "billing_calendar_from_on": "2025-03-20"}
    changed = await api.patch(path, json=change, headers=FIRST)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.json()["billing_calendar"] == QUARTERS
    assert changed.json()["earlier_calendars"] == [{"until_on": "2025-03-20", "calendar": MONTHS}]
    again = await api.patch(path, json=change, headers={"If-Match": '"2"'})
    assert again.json() == changed.json()
    last = await api.patch(path, json={"grace_hours": 5}, headers={"If-Match": '"2"'})
    assert last.json() == changed.json() | {"grace_hours": 5, "version": 3}
    rows = await world.rows(
        "SELECT convert_from(value, 'utf8')::json AS value FROM outbox "
        "WHERE topic = 'agreement.changed.v1' AND tenant_id = $1 ORDER BY seq",
        world.tenant,
        tenant="*",
    )
    events = [row["value"] for row in rows]
    assert [event["billing_calendar"] for event in events] == [
        calendar | {"read_dates": []} for calendar in (MONTHS, QUARTERS, QUARTERS)
    ]
    assert [len(event["earlier_calendars"]) for event in events] == [0, 1, 1]


async def test_a_change_without_a_day_is_of_today(api):
    made = await agreed(api, await customer(api))
    path = f"/v1/agreements/{made['id']}"
    before = datetime.now(UTC).date()
    changed = await api.patch(path, json={"billing_calendar": QUARTERS}, headers=FIRST)
    (earlier,) = changed.json()["earlier_calendars"]
    assert earlier["until_on"] in {str(before), str(datetime.now(UTC).date())}
    same = await api.patch(path, json={"billing_calendar": QUARTERS}, headers={"If-Match": '"2"'})
    assert same.json() == changed.json()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"billing_calendar": {"months": 4}}, "/billing_calendar/months"),
        ({"billing_calendar": {"start_day": 32}}, "/billing_calendar/start_day"),
        ({"billing_calendar": {"start_day": 0}}, "/billing_calendar/start_day"),
        ({"billing_calendar": {"anchor_month": 13}}, "/billing_calendar/anchor_month"),
        ({"billing_calendar": {"weeks": 2}}, "/billing_calendar/weeks"),
    ],
)
async def test_a_calendar_must_be_one(api, change, path):
    payer = await customer(api)
    made = await agreed(api, payer)
    for answer in (
        await api.post("/v1/agreements", json=agreement(payer) | change),
        await api.post("/v1/customers", json={"name": "B", "currency": "EUR"} | change),
        await api.patch(f"/v1/agreements/{made['id']}", json=change, headers=FIRST),
    ):
        assert (answer.status_code, paths(answer.json())) == (422, [path])


async def test_a_day_needs_its_calendar(api):
    made = await agreed(api, await customer(api))
    change = {"billing_calendar_from_on": "2025-03-20"}
    answer = await api.patch(f"/v1/agreements/{made['id']}", json=change, headers=FIRST)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_what_is_closed_stays_as_it_is(api, world, make):
    """January is closed, though it is held for its tariff; February is not."""
    home = await world.agree(tariff_id=uuid4())
    await world.close(make.closed(home, period=make.JANUARY))
    assert len(await world.held()) == 1
    path = f"/v1/agreements/{home.id}"
    change = {"billing_calendar": QUARTERS, "billing_calendar_from_on": "2025-01-31"}
    refused = await api.patch(path, json=change, headers=FIRST)
    assert (refused.status_code, refused.json()["code"]) == (409, "period_closed")
    change["billing_calendar_from_on"] = "2025-02-01"
    assert (await api.patch(path, json=change, headers=FIRST)).status_code == 200


async def test_two_months_are_previewed_and_billed_as_one(world, make, api):
    """59 days of 9.6 kWh × 0.30 = 169.92, 2 × 12.50, and 19 % of 194.92 = 37.03 (37.0348)."""
    home = await world.home(billing_calendar=BillingCalendar(months=2))
    period = Period(date(2025, 1, 1), date(2025, 3, 1))
    for day in period.dates():
        await world.use(make.used(home.meter_id, day))
    answer = await api.get(f"/v1/agreements/{home.id}/preview", params={"on": "2025-02-10"})
    preview = answer.json()
    assert (preview["start_on"], preview["end_on"]) == ("2025-01-01", "2025-03-01")
    await world.close(make.closed(home, period=period))
    (invoice,) = await world.invoices()
    assert preview["so_far"]["total"] == str(invoice["total"]) == "231.95"


async def test_bills_carry_on_over_a_change_of_calendar(world, make, api):
    """Tiers of a year: 500 kWh at 0.10. By 20 February 50 days had 9.6 kWh each: 480.00; the next
    20 kWh of the 9 days up to 1 March are at 0.10, the other 66.4 at 0.30."""
    home = await world.home(document=make.TIERED)
    change = {
        "billing_calendar": {"months": 1, "start_day": 1},
        "billing_calendar_from_on": "2025-02-20",
    }
    first = {"billing_calendar": FROM_THE_31ST, "billing_calendar_from_on": "2025-01-01"}
    path = f"/v1/agreements/{home.id}"
    for version, body in enumerate((first, change), 1):
        changed = await api.patch(path, json=body, headers={"If-Match": f'"{version}"'})
        assert changed.status_code == 200, changed.text
    days = [date(2025, 1, 1), date(2025, 1, 31), date(2025, 2, 20), date(2025, 3, 1)]
    for day in Period(days[0], days[-1]).dates():
        await world.use(make.used(home.meter_id, day))
    answer = await api.get(f"{path}/preview", params={"on": "2025-02-28"})
    preview = answer.json()
    assert [preview["start_on"], preview["end_on"]] == [str(days[2]), str(days[3])]
    assert [part["end_on"] for part in preview["carries_on_from"]] == [str(days[1]), str(days[2])]
    for start_on, end_on in pairwise(days):
        await world.close(make.closed(home, period=Period(start_on, end_on)))
    totals = [str(invoice["total"]) for invoice in await world.invoices()]
    assert totals == ["28.80", "19.20", "21.92"]
    assert preview["so_far"]["total"] == "21.92"
    after = await api.get(f"{path}/preview", params={"on": str(days[3] + timedelta(days=3))})
    assert after.json()["start_on"] == "2025-03-01"
