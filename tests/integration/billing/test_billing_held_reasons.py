"""Every reason to hold a period has ways out that work: what it lacked arrives, the agreement is
replaced, somebody dismisses it. At the end nothing is held, and the account is right."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from doubles.billing import events as make
from gridtally.kernel.periods import Period

MARCH_TOTAL = "120.98"
"""297.2 kWh at 0.30, 12.50 and 19 %."""
END = date(2025, 4, 1)
ONLY_MARCH = {"start_on": make.MARCH.start_on, "end_on": END}
FROM_JANUARY = {"start_on": date(2025, 1, 1), "end_on": END}
HOURS = {"minutes": 60}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def held(api, **params):
    items = (await api.get("/v1/held-invoices", params=params)).json()["items"]
    return [(item["start_on"], item["reason"]) for item in items]


async def live(api, **params):
    params = {"state": "issued"} | params
    items = (await api.get("/v1/invoices", params=params)).json()["items"]
    return sorted((item["start_on"], item["total"]) for item in items)


async def is_right(api):
    answer = (await api.get("/v1/reconciliation")).json()
    assert (answer["breaches"], answer["held"]) == ([], 0)


def with_components(*components):
    return make.FLAT | {"components": [*make.FLAT["components"], *components]}


# Each holds March, and returns the agreement with what brings what it lacks.
async def tariff_missing(world, _api):
    home = await world.agree(tariff_id=uuid4(), **ONLY_MARCH)
    await world.register(make.registered(home.meter_id))
    await world.close(make.closed(home))
    return home, lambda: world.publish(make.published(home.tariff_id))


async def meter_missing(world, _api):
    tariff_id = uuid4()
    await world.publish(make.published(tariff_id))
    home = await world.agree(tariff_id=tariff_id, **ONLY_MARCH)
    await world.close(make.closed(home))
    return home, lambda: world.register(make.registered(home.meter_id))


async def agreement_missing(world, _api):
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id))
    await world.register(make.registered(meter_id))
    home = make.agreement(tariff_id=tariff_id, meter_id=meter_id, **ONLY_MARCH)
    await world.close(make.closed(home))

    async def arrives():
        await world.agree_on(home)
        await world.apply_agreements(home)

    return home, arrives


async def agreement_differs(world, _api):
    """It ends on the 15th, and the period was closed before ingest heard of it."""
    home = await world.home(start_on=date(2025, 3, 1), end_on=date(2025, 3, 15))
    await world.close(make.closed(home))
    left = Period(date(2025, 3, 1), date(2025, 3, 15))
    return home, lambda: world.close(make.closed(home, period=left, revision=2))


async def currency_differs(world, _api):
    """Put right by a version in the customer's currency; rebilling takes another tariff."""
    home = await world.agree(tariff_id=uuid4(), **ONLY_MARCH)
    await world.register(make.registered(home.meter_id))
    await world.publish(make.published(home.tariff_id, make.FLAT | {"currency": "USD"}))
    await world.close(make.closed(home))
    return home, lambda: world.publish(make.published(home.tariff_id, number=2))


async def connected_kw_missing(world, _api):
    home = await world.home(document=with_components(make.CAPACITY), **ONLY_MARCH)
    await world.register(make.registered(home.meter_id, connected_kw=None, version=2))
    await world.close(make.closed(home))
    known = make.registered(home.meter_id, connected_kw="15", version=3)
    return home, lambda: world.register(known)


async def flow_missing(world, _api):
    home = await world.home(document=with_components(make.FEED_IN), **ONLY_MARCH)
    flows = ["import", "export"]
    await world.register(make.registered(home.meter_id, flows=flows, version=2))
    await world.close(make.closed(home))
    return home, lambda: world.register(make.registered(home.meter_id, version=3))


async def values_missing(world, _api):
    """Put right by the value, or by force: what is there is billed."""
    home = await world.home(**ONLY_MARCH)
    gap = [None] + [100] * (make.MARCH.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(home, values=gap))
    return home, lambda: world.close(make.closed(home, values=gap, closed_by="forced", revision=2))


async def prices_missing(world, _api):
    home = await world.home(document=make.SPOT, **ONLY_MARCH)
    await world.close(make.closed(home))
    return home, lambda: world.price(*map(make.priced, make.MARCH.dates()))


async def prices_currency(world, _api):
    home = await world.home(document=make.SPOT, **ONLY_MARCH)
    await world.price(*(make.priced(day, currency="USD") for day in make.MARCH.dates()))
    await world.close(make.closed(home))
    return home, lambda: world.price(*(make.priced(day, version=2) for day in make.MARCH.dates()))


async def previous_period_open(world, _api):
    """January waits for its value, and February and March for it."""
    home = await world.home(document=make.TIERED, **FROM_JANUARY)
    gap = [None] + [100] * (make.JANUARY.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(home, period=make.JANUARY, values=gap))
    await world.close(make.closed(home, period=make.FEBRUARY), make.closed(home))
    return home, lambda: world.close(make.closed(home, period=make.JANUARY, revision=2))


async def previous_period_missing(world, _api):
    home = await world.home(document=make.TIERED, **FROM_JANUARY)
    await world.close(make.closed(home))
    return home, lambda: world.close(
        make.closed(home, period=make.JANUARY), make.closed(home, period=make.FEBRUARY)
    )


async def approval_pending(world, api):
    home = await world.home(**ONLY_MARCH)
    await api.put("/v1/invoicing-terms", json={"approval": "required"})
    await world.close(make.closed(home))

    async def approved():
        (draft,) = (await api.get("/v1/invoice-drafts")).json()["items"]
        await api.post(f"/v1/invoice-drafts/{draft['id']}/approve")

    return home, approved


async def draft_rejected(world, api):
    home, approved = await approval_pending(world, api)
    (draft,) = (await api.get("/v1/invoice-drafts")).json()["items"]
    await api.post(f"/v1/invoice-drafts/{draft['id']}/reject", json={"reason": "too high"})
    await world.retry_all()
    return home, approved


REASONS = [
    tariff_missing, meter_missing, agreement_missing, agreement_differs, currency_differs,
    connected_kw_missing, flow_missing, values_missing, prices_missing, prices_currency,
    previous_period_missing, previous_period_open, approval_pending, draft_rejected,
]  # fmt: skip
each_reason = pytest.mark.parametrize("hold", REASONS, ids=[hold.__name__ for hold in REASONS])


@each_reason
async def test_what_it_lacked_arrives(world, api, hold):
    _, arrives = await hold(world, api)
    assert hold.__name__ in [reason for _, reason in await held(api)]
    await world.retry_all()
    assert await live(api) == [], "nothing has arrived"
    await arrives()
    await world.retry_all()
    assert await held(api) == []
    assert "2025-03-01" in [start_on for start_on, _ in await live(api)]
    await is_right(api)


@each_reason
async def test_it_is_dismissed_and_recalled(world, api, hold):
    """Dismissed, it lets what follows be billed; recalled, it is held for what it lacks."""
    home, arrives = await hold(world, api)
    before = await held(api)
    path = f"/v1/held-invoices/{home.id}/{{}}/{{}}"
    for start_on, _ in before:
        dismissed = path.format(start_on, "dismiss")
        answer = await api.post(dismissed, json={"reason": "written off"})
        assert answer.status_code == 204, answer.text
        again = await api.post(dismissed, json={"reason": "written off"})
        assert (again.status_code, again.json()["code"]) == (409, "period_dismissed")
    await world.retry_all()
    assert (await held(api), await live(api)) == ([], [])
    assert sorted(await held(api, state="dismissed")) == sorted(before)
    await is_right(api)
    for start_on, _ in before:
        answer = await api.post(path.format(start_on, "recall"))
        assert answer.status_code == 204, answer.text
    again = await api.post(path.format(before[0][0], "recall"))
    assert (again.status_code, again.json()["code"]) == (409, "period_not_dismissed")
    await world.retry_all()
    assert await held(api, state="dismissed") == []
    assert [start_on for start_on, _ in await held(api)] == [start_on for start_on, _ in before]
    await arrives()
    if drafts := (await api.get("/v1/invoice-drafts")).json()["items"]:
        await api.post(f"/v1/invoice-drafts/{drafts[0]['id']}/approve")
    await world.retry_all()
    assert "2025-03-01" in [start_on for start_on, _ in await live(api)]
    await is_right(api)


@each_reason
async def test_it_is_billed_by_another_agreement(world, api, hold):
    """Whatever was wrong with customer, meter, tariff or days: the right agreement takes March."""
    home, arrives = await hold(world, api)
    if hold is agreement_missing:
        await arrives()  # there is none to replace
        await world.retry_all()
    await api.put("/v1/invoicing-terms", json={"approval": "none"})
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id))
    await world.register(make.registered(meter_id))
    answer = await api.post(
        f"/v1/agreements/{home.id}/rebilling",
        json={
            "from_on": str(home.start_on),
            "reason": "wrong in every way",
            "replacement": {
                "tariff_id": str(tariff_id), "meter_id": str(meter_id), "start_on": "2025-03-01",
                "end_on": "2025-04-01",
            },
        },
        headers={"If-Match": '"1"'},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    days = {"start_on": date(2025, 3, 1), "end_on": END}
    new = replace(home, id=answer.json()["replacement_id"], meter_id=meter_id, **days)
    await world.retry_all()
    assert (await held(api), await live(api)) == ([], [])
    await world.close(make.closed(new))
    assert await live(api) == [("2025-03-01", MARCH_TOTAL)]
    assert await held(api) == []
    await is_right(api)


async def test_what_follows_a_dismissed_period_carries_on_from_the_one_before(world, api):
    """Tiers of a year: February is never billed, and March goes on where January ended."""
    home = await world.home(document=make.TIERED, **FROM_JANUARY)
    await world.close(make.closed(home, period=make.JANUARY))
    gap = [None] + [100] * (make.FEBRUARY.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(home, period=make.FEBRUARY, values=gap))
    await world.close(make.closed(home))
    assert [reason for _, reason in await held(api)] == ["values_missing", "previous_period_open"]
    path = f"/v1/held-invoices/{home.id}/2025-02-01/dismiss"
    await api.post(path, json={"reason": "the meter was broken"})
    await world.retry_all()
    assert [start_on for start_on, _ in await live(api)] == ["2025-01-01", "2025-03-01"]
    states = await world.rows("SELECT start_on, state FROM billed_period ORDER BY start_on")
    assert states[0]["state"] == states[1]["state"] != {}
    # Its values arrive after all: it is billed, and March is restated on it.
    await world.close(make.closed(home, period=make.FEBRUARY, revision=2))
    await world.retry_all()
    assert len(await live(api)) == 3
    assert await held(api) == []
    await is_right(api)


async def test_held_periods_are_found_by_reason_customer_end_and_age(world, api):
    first, _ = await tariff_missing(world, api)
    second, _ = await meter_missing(world, api)
    for params, count in (
        ({}, 2),
        ({"reason": "tariff_missing"}, 1),
        ({"reason": "none"}, 0),
        ({"customer_id": str(first.customer_id)}, 1),
        ({"agreement_id": str(second.id)}, 1),
        ({"meter_id": str(second.meter_id)}, 1),
        ({"ended_by": "2025-04-01"}, 2),
        ({"ended_by": "2025-03-31"}, 0),
        ({"held_before": "2025-05-02T10:00:00Z"}, 2),
        ({"held_before": "2025-05-02T09:59:59Z"}, 0),
    ):
        assert len(await held(api, **params)) == count, params
    (item,) = (await api.get("/v1/held-invoices", params={"agreement_id": str(first.id)})).json()[
        "items"
    ]
    assert item["customer_id"] == str(first.customer_id)


async def test_another_tenants_held_periods_are_not_there(world, api, clients):
    home, _ = await tariff_missing(world, api)
    another = await clients("another", "billing:read", "billing:write")
    for path, body in (("dismiss", {"reason": "mine"}), ("recall", None)):
        answer = await another.post(f"/v1/held-invoices/{home.id}/2025-03-01/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "held_period_unknown")
    assert await held(another) == []
    assert len(await held(api)) == 1
