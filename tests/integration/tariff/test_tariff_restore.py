"""A restored tariff service says what it had said: numbers, documents, prices and regions."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from gridtally.contracts.catalogue import CalendarPublished, PricesPublished, RegionChanged
from gridtally.contracts.commerce import TariffPublished
from gridtally.http.api import build_app
from gridtally.messaging import ensure_topics
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics
from gridtally.tariff.api import ROUTERS
from gridtally.tariff.settings import Settings
from integration.tariff.steps import (
    CALENDAR,
    DOCUMENT,
    REGION,
    SERIES,
    TARIFF,
    WRONG,
    created,
    drafted,
    path_of,
    published,
    published_calendar,
)
from restores import Restorable, rows_of, said, until_drained

SAID = (RegionChanged, CalendarPublished, TariffPublished, PricesPublished)
BY = ("published_by", "withdrawn_by", "recorded_by")
AT = ("created_at", "updated_at", "version")
STORED = {
    "region": ("created_at", "updated_at"),
    "tariff": AT,
    "calendar": AT,
    "calendar_version": (*AT, *BY),
    "tariff_version": (*AT, *BY),
    "price_series": AT,
    "price_day": BY,
}
"""What must be the same after a restore, without what no event carries."""
PUBLISH_LIMIT_S = 60
SEASONS = {"seasons": [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "04-01"}]}


@pytest.fixture
async def tariff(catalogue_url, postgres_admin_url, kafka_bootstrap, stack_servers, tmp_path):
    await ensure_topics(kafka_bootstrap)
    settings = {"KAFKA_IDEMPOTENCE": str(stack_servers.idempotence)}
    restorable = Restorable(
        "tariff", catalogue_url, postgres_admin_url, kafka_bootstrap, tmp_path, settings
    )
    yield restorable
    await restorable.drop_copy()


@pytest.fixture
def running(tariff, clients_of):
    """The process, and a client of an API on its database."""

    @asynccontextmanager
    async def run(tenant):
        async with tariff.running() as database:
            app = build_app(
                title="tariff", version="1", routers=ROUTERS, database=database, health=Health(),
                metrics=Metrics("tariff"),
                settings=Settings(database_url=tariff.url, kafka_bootstrap_servers="unused:1"),
            )  # fmt: skip
            yield database, await clients_of(app, database)(tenant)
            await until_drained(database, tenant)

    return run


async def upload(client, series, price):
    body = {"items": [], "days": [{"day": "2025-03-11", "prices": [price] * 24}]}
    answer = await client.post(f"/v1/price-series/{series['id']}/prices", json=body)
    assert answer.status_code == 200, answer.text


async def stored(database, tenant):
    return {
        table: await rows_of(database, table, tenant, without=without)
        for table, without in STORED.items()
    }


async def until_published(database, tenant):
    """Regions are put into the outbox by a loop, a moment after they were stored."""

    async def are_published():
        rows = await rows_of(database, "region", tenant)
        return not any("'published_version': 0" in row for row in rows)

    async with asyncio.timeout(PUBLISH_LIMIT_S):
        while not await are_published():  # noqa: ASYNC110 - the database's state, which tells nobody
            await asyncio.sleep(0.05)
    await until_drained(database, tenant)


async def test_a_restored_tariff_service_says_what_it_had_said(tariff, running, kafka_bootstrap):
    tenant = f"t-{uuid4().hex[:8]}"
    async with running(tenant) as (database, acme):
        berlin = await created(acme, "/v1/regions", REGION)
        await created(acme, "/v1/regions", REGION | {"code": "old", "name": "Old"})
        home = await created(acme, "/v1/tariffs", TARIFF)
        await published(acme, home)
        draft = await drafted(acme, home, "2026-01-01")
        series = await created(acme, "/v1/price-series", SERIES)
        await upload(acme, series, "0.10")
        await until_published(database, tenant)
    await tariff.copy()

    async with running(tenant) as (database, acme):
        mitte = {"code": "DE-BE-M", "name": "Mitte", "parent_id": berlin["id"]}
        mitte = await created(acme, "/v1/regions", REGION | mitte)
        moved = await acme.get("/v1/regions", params={"text": "Old"})
        (old,) = moved.json()["items"]
        answer = await acme.delete(f"/v1/regions/{old['id']}", headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text
        calendar = await created(acme, "/v1/calendars", CALENDAR)
        await published_calendar(acme, calendar, SEASONS)
        assert (await acme.post(path_of(draft, "publish"))).status_code == 200
        night = await created(
            acme, "/v1/tariffs",
            TARIFF | {"code": "night", "name": "Night", "region_id": mitte["id"]},
        )  # fmt: skip
        document = DOCUMENT | {"calendar_id": calendar["id"]}
        await published(acme, night, document=document)
        await published_calendar(acme, calendar, {"seasons": SEASONS["seasons"][:1]})
        wrong = await published(acme, night, "2027-01-01")
        ending = await published(acme, night, "2028-01-01")
        for version, terms in ((wrong, {}), (ending, {"from_on": "2028-02-01"})):
            answer = await acme.post(path_of(version, "withdraw"), json=WRONG | terms)
            assert answer.status_code == 200, answer.text
        await upload(acme, series, "0.20")
        other = await created(acme, "/v1/price-series", SERIES | {"code": "other"})
        await upload(acme, other, "-0.01")
        await until_published(database, tenant)
        before = await stored(database, tenant)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await tariff.restore()

    async with running(tenant) as (database, acme):
        after = await stored(database, tenant)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        assert await said(kafka_bootstrap, tenant, *SAID) == heard
        following = await drafted(acme, night, "2029-01-01")
    assert following["number"] == ending["number"] + 1
    assert all(len(words) == 1 for words in heard.values())
    assert tariff.logged("not adopted", tenant) == []
