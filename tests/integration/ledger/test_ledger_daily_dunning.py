"""Runs of dunning that begin by themselves."""

from datetime import UTC, datetime, timedelta

from gridtally.contracts.dunning import DunningRulesChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger.accounts.handlers import dunning
from integration.ledger.accounts import issue, post, reported

NOW = datetime.now(UTC)
LEVELS = [{"name": "Reminder", "after_days": 3, "days_to_pay": 4}]


async def work(ledger, days=0):
    """All that the two loops find to do so many days from now: how many runs began."""
    at, begun = NOW + timedelta(days=days), 0
    for step in (dunning.start_daily_runs, dunning.advance_run):
        done = 1
        while done:
            async with transaction(ledger, tenant=ALL_TENANTS) as tx:
                done = await step(tx, at)
            begun += done if step is dunning.start_daily_runs else 0
    return begun


async def runs(client):
    return (await client.get("/v1/dunning-runs")).json()["items"]


async def rule(client, **changes):
    answer = await client.put("/v1/dunning-rules", json={"levels": LEVELS} | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_run_begins_each_day_where_the_rules_say_so(ledger, acme, clients):
    other, third = await clients("other"), await clients("third")
    await issue(ledger, "70.00", due_on=str((NOW - timedelta(days=9)).date()))
    assert await work(ledger) == 0
    assert (await rule(acme))["runs_daily"] is False
    await rule(third, levels=[], runs_daily=True)
    assert await work(ledger) == 0
    assert (await rule(acme, runs_daily=True))["runs_daily"] is True
    assert (await acme.get("/v1/dunning-rules")).json()["runs_daily"] is True
    await rule(other, runs_daily=True)
    assert await work(ledger) == 2
    assert await work(ledger) == 0  # the second time on a day
    [run] = await runs(acme)
    assert (run["on"], run["state"]) == (str(NOW.date()), "finished")
    [notice] = (await acme.get("/v1/dunning-notices")).json()["items"]
    assert notice["run_id"] == run["id"]
    assert len(await runs(other)) == 1
    assert await runs(third) == []
    assert await work(ledger, days=1) == 2
    assert len((await acme.get("/v1/dunning-notices")).json()["items"]) == 1
    await rule(other)
    assert await work(ledger, days=2) == 1
    said = [own.runs_daily for own in await reported(ledger, DunningRulesChanged)]
    assert said == [False, True, True, True, False]


async def test_a_run_that_somebody_has_asked_for_is_the_run_of_that_day(ledger, acme):
    await rule(acme, runs_daily=True)
    asked = await post(acme, "dunning-runs")
    assert await work(ledger) == 0
    assert [run["id"] for run in await runs(acme)] == [asked["id"]]
    tomorrow = str((NOW + timedelta(days=1)).date())
    await post(acme, "dunning-runs", on=tomorrow)  # goes on: nothing begins beside it
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        assert await dunning.start_daily_runs(tx, NOW + timedelta(days=2)) == 0
    assert await work(ledger, days=2) == 0
    assert await work(ledger, days=2) == 1
