"""What a key and its tenant may spend, and what a request costs them."""

import asyncio
from typing import Annotated

import pytest
from fastapi import Depends
from hypothesis import given
from hypothesis import strategies as st

from gridtally.http.auth import Principal, require
from gridtally.http.costs import CLASSES
from gridtally.http.json_bodies import Router
from gridtally.http.keys import StoredKey, sha256_hex
from gridtally.http.rate_limit import BURST_S, RateLimit
from shop import SECRET

ORDER = "/v1/orders/00000000-0000-0000-0000-000000000001"


class Clock:
    """Stands still until it is set."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def limit_of(clock, key_per_s=2, tenant_per_s=3, calculations=2):
    return RateLimit(
        key_per_s=key_per_s,
        tenant_per_s=tenant_per_s,
        calculations_of_tenant_max=calculations,
        clock_s=clock,
    )


@pytest.fixture
def limit(clock):
    return limit_of(clock)


@pytest.fixture
def clock():
    return Clock()


def waits_s(limit, times, tenant_id="north", key_id="a", points=1):
    return [limit.spend(tenant_id, key_id, points).wait_s for _ in range(times)]


def test_a_bucket_fills_with_time(limit, clock):
    assert waits_s(limit, 21) == [0.0] * 20 + [0.5]
    assert waits_s(limit, 1, "south") == [0.0]
    clock.now_s = 0.5
    assert waits_s(limit, 2) == [0.0, 0.5]
    clock.now_s = 1e6
    assert waits_s(limit, 21) == [0.0] * 20 + [0.5]


def test_all_keys_of_a_tenant_share_its_budget(limit):
    assert waits_s(limit, 20, key_id="a") == [0.0] * 20
    assert waits_s(limit, 11, key_id="b") == [0.0] * 10 + [pytest.approx(1 / 3)]
    spent = limit.spend("north", "c", 1)
    assert (spent.reason, spent.wait_s) == ("tenant", pytest.approx(1 / 3))
    assert waits_s(limit, 1, "south", "d") == [0.0]


def test_what_is_refused_costs_nobody_anything(limit):
    assert waits_s(limit, 1, points=15) == [0.0]
    assert limit.spend("north", "a", 10).limit == '"key";r=5;t=8, "tenant";r=15;t=5'
    assert limit.spend("north", "b", 15).limit == '"key";r=5;t=8, "tenant";r=0;t=10'


def test_what_costs_more_than_a_bucket_holds_costs_a_full_one(limit, clock):
    assert waits_s(limit, 2, points=1_000) == [0.0, 10.0]
    clock.now_s = 9.9
    assert waits_s(limit, 1, points=1_000) == [pytest.approx(0.1)]
    clock.now_s = 10.0
    assert waits_s(limit, 1, points=1_000) == [0.0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from([cost.points for cost in CLASSES]),
            st.floats(0, 3),
        ),
        max_size=60,
    )
)
def test_nobody_spends_more_than_a_burst_and_what_was_earned(steps):
    clock = Clock()
    limit, spent = limit_of(clock, key_per_s=20, tenant_per_s=30), {"a": 0, "b": 0}
    for key_id, points, pause_s in steps:
        clock.now_s += pause_s
        wait_s = limit.spend("north", key_id, points).wait_s
        assert wait_s >= 0
        spent[key_id] += 0 if wait_s else points
        assert max(spent.values()) <= 20 * (BURST_S + clock.now_s) + 1e-6
        assert sum(spent.values()) <= 30 * (BURST_S + clock.now_s) + 1e-6


async def test_a_key_beyond_its_budget_learns_when_to_come_back(client, headers):
    answers = [await client.get(ORDER, headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"key";q=5;w=10, "tenant";q=20000;w=10'
    assert answers[0].headers["ratelimit"] == '"key";r=4;t=2, "tenant";r=19999;t=1'
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert refused.headers["ratelimit"].startswith('"key";r=0;t=')
    assert refused.json()["code"] == "too_many_requests"
    assert refused.json()["detail"].endswith("a read costs 1 points")


async def test_a_page_costs_more_than_a_read(client, headers):
    statuses = [(await client.get("/v1/orders", headers=headers)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await client.get(ORDER, headers=headers)).status_code == 200


async def test_callers_without_a_key_learn_of_no_budget(client):
    answer = await client.get(ORDER)
    assert answer.status_code == 401
    assert "ratelimit" not in answer.headers


@pytest.fixture
def estimates(app):
    """A calculation that waits for `go`, and keys of two tenants that may ask for it."""
    go, router = asyncio.Event(), Router()

    @router.get("/v1/estimate")
    async def estimate(caller: Annotated[Principal, Depends(require("shop:read"))]) -> str:
        await go.wait()
        return caller.tenant_id

    app.include_router(router)
    for key_id, tenant_id in (("northone", "north"), ("northtwo", "north"), ("southone", "south")):
        key = StoredKey(tenant_id, key_id, sha256_hex(SECRET), frozenset({"shop:read"}))
        app.state.keyring.keys[key_id] = key
    app.state.rate_limit = limit_of(Clock(), key_per_s=1_000, tenant_per_s=1_000)
    return go


async def test_a_tenant_has_so_many_calculations_at_work_and_no_more(client, estimates):
    def ask(key_id):
        headers = {"authorization": f"Bearer gt_{key_id}_{SECRET}"}
        return asyncio.ensure_future(client.get("/v1/estimate", headers=headers))

    begun = [ask("northone"), ask("northtwo")]
    await asyncio.sleep(0.1)
    refused = await ask("northtwo")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["detail"] == "too many calculations of this tenant are at work"
    begun.append(ask("southone"))
    await asyncio.sleep(0.1)
    begun.pop(0).cancel()  # a caller that goes away leaves its place to others
    await asyncio.sleep(0.1)
    begun.append(ask("northone"))
    estimates.set()
    assert [answer.status_code for answer in await asyncio.gather(*begun)] == [200] * 3
    assert (await ask("northtwo")).status_code == 200
