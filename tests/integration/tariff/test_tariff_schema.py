"""What a catalogue of an earlier schema becomes."""

import asyncio
import json
from datetime import UTC, date, datetime
from uuid import UUID

import asyncpg
import pytest
from alembic import command

from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.database.migrations import _config, upgrade
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Stored
from gridtally.tariff.domain.calendar_versions import CalendarVersion
from gridtally.tariff.domain.calendars import Calendar
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.prices import PriceDay
from gridtally.tariff.domain.regions import Region
from gridtally.tariff.domain.tariff_versions import (
    TariffVersion,
    Terms,
    UsedCalendar,
    Withdrawal,
)
from gridtally.tariff.domain.tariffs import Tariff
from gridtally.tariff.domain.versions import VersionStep
from gridtally.tariff.store import calendar_versions, catalogue, prices, tariff_versions, versions
from gridtally.tariff.store.calendar_versions import CALENDAR_VERSIONS
from gridtally.tariff.store.calendars import CALENDARS
from gridtally.tariff.store.price_series import PRICE_SERIES
from gridtally.tariff.store.regions import REGIONS
from gridtally.tariff.store.tariff_versions import TARIFF_VERSIONS
from gridtally.tariff.store.tariffs import TARIFFS

OF_THE_FIRST_SCHEMA = """
INSERT INTO region (tenant_id, id, code, name, zone)
VALUES ('acme', gen_random_uuid(), 'r', 'R', 'Europe/Berlin');
INSERT INTO tariff (tenant_id, id, code, name, currency, zone)
SELECT tenant, gen_random_uuid(), 'home', 'Home', 'EUR', 'Europe/Berlin'
  FROM unnest('{acme,other}'::text[]) AS tenant;
INSERT INTO tariff_version
       (tenant_id, id, tariff_id, number, status, effective_from, document, updated_at)
SELECT 'acme', gen_random_uuid(), id, number, 'draft', '2025-01-01', '{}', '2025-01-02Z'
  FROM tariff, generate_series(1, 3) AS number WHERE tenant_id = 'acme';
UPDATE tariff_version SET status = 'published' WHERE number >= 2;
UPDATE tariff_version SET status = 'withdrawn' WHERE number = 3
"""


async def test_a_catalogue_of_the_first_schema_is_carried_over(database_url):
    url = database_url()
    config = _config("gridtally.tariff")
    config.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, config, "0001")
    async with await Database.connect(url, application="test") as old:
        async with transaction(old, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(OF_THE_FIRST_SCHEMA)
        await asyncio.to_thread(upgrade, url, package="gridtally.tariff")
        async with snapshot(old, tenant=ALL_TENANTS) as read:
            regions = await read.raw.fetch("SELECT kind, parent_id FROM region")
            numbers = await read.raw.fetch("SELECT tenant_id, last_number FROM tariff ORDER BY 1")
            versions = await read.raw.fetch(
                "SELECT status, published_by, published_at = updated_at, withdrawn_from::text "
                "FROM tariff_version ORDER BY number"
            )
    assert [tuple(row) for row in regions] == [("municipality", None)]
    assert [tuple(row) for row in numbers] == [("acme", 3), ("other", 0)]
    assert [tuple(row) for row in versions] == [
        ("draft", None, None, None),
        ("published", "unknown", True, None),
        ("withdrawn", "unknown", True, "2025-01-01"),
    ]


ID = UUID(int=7)
DRAFT, PUBLISHED, WITHDRAWN = UUID(int=1), UUID(int=2), UUID(int=3)
MADE_AT, CHANGED_AT = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)
LATER_AT = datetime(2025, 1, 3, tzinfo=UTC)
STEP = VersionStep(CHANGED_AT, "key")


def resource(revision, **columns):
    """A row of a resource by the second schema."""
    stamps = {"created_at": MADE_AT, "updated_at": CHANGED_AT, "revision": revision}
    return {"tenant_id": "acme", "id": ID} | stamps | columns


def price_day(version, prices, recorded_at):
    """A row of the prices of New Year's Day, which has two prices here."""
    key = {"tenant_id": "acme", "series_id": ID, "day": "2025-01-01", "version": version}
    return key | {"prices": prices, "recorded_at": recorded_at, "recorded_by": "key"}


BERLIN = "Europe/Berlin"
IS_PUBLISHED = {"published_at": CHANGED_AT, "published_by": "key"}
OF_CALENDAR = {"calendar_id": ID, "calendar_number": 1}
IS_WITHDRAWN = {
    "withdrawn_at": CHANGED_AT,
    "withdrawn_by": "key",
    "withdrawn_from": "2025-03-01",
    "withdrawal_reason": "why",
}
SAYS = {"tariff_id": ID, "effective_from": "2025-02-01", "document": {"b": 2}, "note": "note"}
OF_THE_SECOND_SCHEMA = {
    "region": [resource(3, code="r", name="R", zone=BERLIN, kind="grid_area")],
    "tariff": [
        resource(4, code="t", name="T", currency="EUR", zone=BERLIN, region_id=ID, last_number=3)
    ],
    "calendar": [resource(5, code="c", name="C", last_number=1)],
    "calendar_version": [
        resource(
            2,
            id=PUBLISHED,
            calendar_id=ID,
            number=1,
            status="published",
            document={"a": 1},
            **IS_PUBLISHED,
        )
    ],
    "tariff_version": [
        resource(6, id=DRAFT, number=1, status="draft", **SAYS),
        resource(
            6, id=PUBLISHED, number=2, status="published", **SAYS, **OF_CALENDAR, **IS_PUBLISHED
        ),
        resource(
            6,
            id=WITHDRAWN,
            number=3,
            status="withdrawn",
            **SAYS,
            **OF_CALENDAR,
            **IS_PUBLISHED,
            **IS_WITHDRAWN,
        ),
    ],
    "price_series": [resource(7, code="s", name="S", currency="EUR", zone=BERLIN, minutes=60)],
    "price_day": [price_day(1, [1, 2], MADE_AT), price_day(2, [1, 3], CHANGED_AT)],
}
TERMS = Terms(date(2025, 2, 1), None, {"b": 2}, "note")
USED = UsedCalendar(ID, 1)
REGION = Region(ID, "r", "R", BERLIN, "grid_area", None)
RESOURCES = [
    (REGIONS, REGION, 3),
    (TARIFFS, Tariff(ID, "t", "T", "EUR", BERLIN, ID), 4),
    (CALENDARS, Calendar(ID, "c", "C"), 5),
    (PRICE_SERIES, PriceSeries(ID, "s", "S", "EUR", BERLIN, 60), 7),
]
VERSIONS = [
    TariffVersion(DRAFT, ID, 1, "draft", TERMS),
    TariffVersion(PUBLISHED, ID, 2, "published", TERMS, USED, STEP),
    TariffVersion(
        WITHDRAWN, ID, 3, "withdrawn", TERMS, USED, STEP, STEP, Withdrawal(date(2025, 3, 1), "why")
    ),
]
IMMUTABLE = [
    "UPDATE tariff_version SET document = '{}' WHERE status <> 'draft'",
    "UPDATE tariff_version SET version = version + 1 WHERE status = 'published'",
    "UPDATE tariff_version SET status = 'draft' WHERE status = 'published'",
    "DELETE FROM tariff_version WHERE status = 'withdrawn'",
    "TRUNCATE tariff_version",
    "UPDATE calendar_version SET document = '{}'",
    "DELETE FROM calendar_version",
    "TRUNCATE calendar_version CASCADE",
]


@pytest.fixture
async def migrated(database_url):
    """A catalogue that was filled by the second schema and has been migrated since."""
    url = database_url()
    config = _config("gridtally.tariff")
    config.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, config, "0002")
    async with await Database.connect(url, application="test") as opened:
        async with transaction(opened, tenant=ALL_TENANTS) as tx:
            for table, rows in OF_THE_SECOND_SCHEMA.items():
                every = f"jsonb_populate_recordset(NULL::{table}, $1)"
                fill = f"INSERT INTO {table} SELECT * FROM {every}"  # noqa: S608 - our own tables
                await tx.raw.execute(fill, json.dumps(rows, default=str))
        await asyncio.to_thread(upgrade, url, package="gridtally.tariff")
        yield opened


def stored_as(resource, version):
    return Stored(resource, version, MADE_AT, CHANGED_AT)


async def test_a_catalogue_of_the_second_schema_is_read_as_it_was(migrated):
    calendar_version = CalendarVersion(PUBLISHED, ID, 1, "published", {"a": 1}, STEP)
    async with snapshot(migrated, tenant="acme") as read:
        for table, resource, version in RESOURCES:
            stored = await catalogue.fetch_resource(read, "acme", table, ID)
            assert stored == stored_as(resource, version)
        newest = await calendar_versions.fetch_newest(read, "acme", ID)
        assert newest == stored_as(calendar_version, 2)
        listed = await versions.list_versions(read, "acme", TARIFF_VERSIONS, ID, None, 0, 10)
        assert listed == [stored_as(version, 6) for version in VERSIONS]
        in_force = await tariff_versions.fetch_in_force(read, "acme", ID, date(2025, 3, 1))
        assert in_force == stored_as(VERSIONS[1], 6)
        days = Period(date(2025, 1, 1), date(2025, 1, 2))
        known = [
            await prices.list_days(read, "acme", ID, days, as_of, 10) for as_of in (None, MADE_AT)
        ]
    assert known == [
        [PriceDay(date(2025, 1, 1), 2, (1, 3), CHANGED_AT, "key")],
        [PriceDay(date(2025, 1, 1), 1, (1, 2), MADE_AT, "key")],
    ]


async def test_a_catalogue_of_the_second_schema_changes_on_from_its_versions(migrated):
    async with transaction(migrated, tenant="acme") as tx:
        moved = await catalogue.update_resource(tx, "acme", REGIONS, REGION, LATER_AT)
        assert (moved.version, moved.created_at, moved.updated_at) == (4, MADE_AT, LATER_AT)
        changed = await tariff_versions.update_terms(tx, "acme", DRAFT, TERMS, LATER_AT)
        assert changed.version == 7
        published = await tariff_versions.publish_version(
            tx, "acme", DRAFT, VersionStep(LATER_AT, "other"), TERMS, None
        )
        assert (published.version, published.resource.status) == (8, "published")
        draft = await versions.insert_draft(
            tx, "acme", CALENDAR_VERSIONS, ID, UUID(int=8), {"document": {}}, LATER_AT
        )
        assert (draft.resource.number, draft.version) == (2, 1)
        used = await calendar_versions.publish_version(
            tx, "acme", UUID(int=8), VersionStep(LATER_AT, "other")
        )
        assert (used.version, used.resource.status) == (2, "published")


@pytest.mark.parametrize("statement", IMMUTABLE)
async def test_what_the_second_schema_published_stays_immutable(migrated, statement):
    with pytest.raises(asyncpg.RestrictViolationError, match="kept as it is"):
        async with transaction(migrated, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(statement)
