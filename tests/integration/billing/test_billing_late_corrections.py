"""Agreements that refuse late corrections: those are kept and shown, and nothing is billed of them
unless somebody wants that."""

from datetime import UTC, date, datetime

import pytest

from gridtally.kernel.periods import Period

TOTAL, CORRECTED = "120.98", "99.79"
"""297.2 kWh at 0.30, 12.50 and 19 %; and with a day of it halved."""
IN_TIME = datetime(2026, 4, 1, 21, 59, tzinfo=UTC)
"""The last minute of the day, in Berlin, a year after March ended."""
LATE = datetime(2026, 4, 1, 22, 0, tzinfo=UTC)


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def held(api, **params):
    return (await api.get("/v1/held-invoices", params=params)).json()["items"]


async def live(api):
    items = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    return sorted((item["start_on"], item["revision"]) for item in items)


async def is_right(api):
    answer = (await api.get("/v1/reconciliation")).json()
    assert (answer["breaches"], answer["held"]) == ([], 0)


def corrected(make, home, revision=2, period=None):
    """A period whose readings were all half of what they were."""
    period = period or make.MARCH
    values = [50] * period.slots(make.BERLIN, 15)
    return make.closed(home, period=period, values=values, revision=revision)


async def test_what_changes_after_the_limit_is_shown_and_not_billed(world, make, api):
    home = await world.home(back_billing_months=12)
    await world.close(make.closed(home))
    await world.close(corrected(make, home), now=LATE)
    assert await live(api) == [("2025-03-01", 1)]
    assert await held(api) == []
    (late,) = await held(api, state="dismissed")
    assert (late["reason"], late["revision"], late["dismissed_by"]) == (
        "correction_too_late", 2, "agreement",
    )  # fmt: skip
    assert late["dismissal"] == late["detail"]
    assert late["detail"].endswith("the agreement takes until 2026-04-01")
    await is_right(api)

    await world.close(corrected(make, home), now=LATE)  # the message again
    assert await live(api) == [("2025-03-01", 1)]
    recall = await api.post(f"/v1/held-invoices/{home.id}/2025-03-01/recall")
    assert recall.status_code == 204
    await world.retry_all()
    assert await live(api) == [("2025-03-01", 2)]
    assert await held(api, state="dismissed") == []
    await is_right(api)


async def test_what_changes_within_the_limit_or_was_never_billed_is_billed(world, make, api):
    home = await world.home(back_billing_months=12)
    await world.close(make.closed(home))
    await world.close(corrected(make, home), now=IN_TIME)
    assert await live(api) == [("2025-03-01", 2)]
    other = await world.home(back_billing_months=1)
    await world.close(make.closed(other, revision=2), now=LATE)
    assert await live(api) == [("2025-03-01", 2), ("2025-03-01", 2)]
    without = await world.home()
    await world.close(make.closed(without))
    await world.close(corrected(make, without), now=datetime(2040, 1, 1, tzinfo=UTC))
    assert await live(api) == [("2025-03-01", 2)] * 3
    assert await held(api, state="dismissed") == []
    await is_right(api)


async def test_what_follows_carries_on_from_the_invoice_that_stays(world, make, api):
    """Tiers of a year: March goes on where the February that was invoiced has ended."""
    home = await world.home(document=make.TIERED, back_billing_months=1, start_on=date(2025, 1, 1))
    for period in (make.JANUARY, make.FEBRUARY):
        await world.close(make.closed(home, period=period))
    await world.close(corrected(make, home, period=make.JANUARY), now=LATE)
    await world.close(make.closed(home), now=LATE)
    assert await live(api) == [("2025-01-01", 1), ("2025-02-01", 1), ("2025-03-01", 1)]
    states = await world.rows("SELECT state FROM billed_period ORDER BY start_on")
    assert len({str(row["state"]) for row in states}) == 3
    await is_right(api)


async def test_the_limit_can_be_changed_and_lifted(world, make, api):
    home = await world.home()
    path = f"/v1/agreements/{home.id}"
    version = 1
    for months in (6, None, 12):
        answer = await api.patch(
            path, json={"back_billing_months": months}, headers={"If-Match": f'"{version}"'}
        )
        version += 1
        assert answer.json()["back_billing_months"] == months
        assert (await api.get(path)).json()["back_billing_months"] == months
    for wrong in (0, 121, -1, 1.5, "a"):
        refused = await api.patch(
            path, json={"back_billing_months": wrong}, headers={"If-Match": f'"{version}"'}
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "#/back_billing_months"
    await world.close(make.closed(home, period=Period(date(2025, 3, 1), date(2025, 4, 1))))
    await world.close(corrected(make, home), now=LATE)
    assert await live(api) == [("2025-03-01", 1)]
