"""A restored ingest says what it had said: versions of days, revisions of periods, alerts."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.contracts.alerts import AlertCleared, AlertRaised
from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.metering import (
    Channel,
    MeterRegistered,
    PeriodClosed,
    ReadingsReceived,
    UsageRecorded,
)
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.ingest.domain.alert_rules import AlertRules, AlertSetting
from gridtally.ingest.handlers.alerts import replace_rules
from gridtally.kernel.periods import midnight_utc
from gridtally.messaging import OutgoingMessage, ensure_topics
from restores import Restorable, rows_of, said, until_drained, until_rows

ZONE = "Europe/Berlin"
MARCH = (date(2025, 3, 1), date(2025, 4, 1))
AT = datetime(2025, 4, 2, tzinfo=UTC)
SAID = (UsageRecorded, PeriodClosed)
STORED = {
    "reading_block": ("recorded_at",),
    "channel_day": (),
    "period": ("check_at",),
    "changed_day": (),
    "period_check": (),
}
TOUCHED = ("seen_at", "day", "value")
"""What changes of an alert while it lasts, which no topic says."""


@pytest.fixture
async def ingest(ingest_url, postgres_admin_url, kafka_bootstrap, stack_servers, tmp_path):
    await ensure_topics(kafka_bootstrap)
    settings = {
        "KAFKA_IDEMPOTENCE": str(stack_servers.idempotence),
        "ANNOUNCE_DELAY_S": "0.2",
        "REVISION_DELAY_S": "0.2",
    }
    restorable = Restorable(
        "ingest", ingest_url, postgres_admin_url, kafka_bootstrap, tmp_path, settings
    )
    yield restorable
    await restorable.drop_copy()


def outgoing(event, tenant):
    return OutgoingMessage.of(
        event, tenant_id=tenant, correlation_id="c", source="test", event_id=uuid4(),
        occurred_at=AT,
    )  # fmt: skip


def block(meter_id, day, wh, *, read_at=AT):
    begin, end = midnight_utc(ZONE, day), midnight_utc(ZONE, day + timedelta(days=1))
    return ReadingsReceived(
        meter_id=meter_id, flow="import", start_at=begin, minutes=15, read_at=read_at,
        values=[wh] * ((end - begin) // timedelta(minutes=15)),
    )  # fmt: skip


def home():
    """A meter and its agreement of one month."""
    meter_id = uuid4()
    return meter_id, [
        MeterRegistered(
            meter_id=meter_id, property_id=uuid4(), meter_type="total", name="m", zone=ZONE,
            channels=[Channel(flow="import", minutes=15, interval_wh_max=10_000)], version=1,
        ),
        AgreementChanged(
            agreement_id=uuid4(), customer_id=uuid4(), meter_id=meter_id, tariff_id=uuid4(),
            start_on=MARCH[0], end_on=MARCH[1], version=1,
        ),
    ]  # fmt: skip


async def until_closed(database, tenant, revisions):
    """Wait until the tenant's periods are closed in these revisions, and nothing is on its way."""
    while True:
        await until_drained(database, tenant, "changed_day", "period_check")
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            closed = await read.raw.fetch(
                "SELECT revision FROM period WHERE tenant_id = $1 ORDER BY 1", tenant
            )
        if [row["revision"] for row in closed] == revisions:
            return


async def counted(database, tenant):
    """The tenant's blocks and new values, by ingest's own counts."""
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        row = await read.raw.fetchrow(
            "SELECT sum(received) AS received, sum(stored) AS stored, sum(readings_new) AS new "
            "FROM intake_count WHERE tenant_id = $1",
            tenant,
        )
    return dict(row)


async def stored(database, tenant):
    return {
        table: await rows_of(database, table, tenant, without=without)
        for table, without in STORED.items()
    }


@pytest.fixture
def running(ingest):
    @asynccontextmanager
    async def run(tenant):
        async with ingest.running() as database:
            yield database
            await until_drained(database, tenant, "changed_day", "period_check")

    return run


@pytest.mark.timeout(240)
async def test_a_restored_ingest_says_what_it_had_said(
    ingest, running, publishing, kafka_bootstrap
):
    tenant = f"t-{uuid4().hex[:8]}"
    days = [MARCH[0] + timedelta(days=n) for n in range(31)]
    (first, of_first), (second, of_second) = home(), home()

    async def send(*events):
        async with publishing() as publisher:
            await publisher.publish([outgoing(event, tenant) for event in events])

    async with running(tenant) as database:
        await send(*of_first, *(block(first, day, 100) for day in days[:20]))
        await until_rows(database, "channel_day", tenant, 20)
    await ingest.copy()

    async with running(tenant) as database:
        await send(*of_second)
        await send(*(block(first, day, 100) for day in days[20:]))
        await send(*(block(second, day, 7) for day in days))
        await until_closed(database, tenant, [1, 1])
        later = AT + timedelta(days=3)
        await send(block(first, days[25], 150, read_at=later))
        await send(block(first, days[2], 99, read_at=later))
        await until_closed(database, tenant, [1, 2])
        before, counts = await stored(database, tenant), await counted(database, tenant)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await ingest.restore()

    async with running(tenant) as database:
        await until_rows(database, "reading_block", tenant, 64)
        await until_closed(database, tenant, [1, 2])
        after = await stored(database, tenant)
        for table in ("reading_block", "period"):
            assert set(after[table]) ^ set(before[table]) == set(), table
        assert await counted(database, tenant) == counts
        assert len(after["channel_day"]) == len(before["channel_day"])
        now = await said(kafka_bootstrap, tenant, *SAID)
        assert {key: now[key] for key in heard} == heard
        closed = [key for key in now if key[0] == PeriodClosed.TOPIC]
        assert set(closed) <= heard.keys()
        await send(block(second, days[4], 8, read_at=AT + timedelta(days=5)))
        await until_closed(database, tenant, [2, 2])
    assert ingest.logged("not adopted", tenant) == []


async def until_alerts(database, tenant, *is_open):
    """Wait until the tenant has so many alerts, open or not, and no meter is due."""
    while True:
        await until_drained(database, tenant, "changed_day", "alert_check")
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            rows = await read.raw.fetch(
                "SELECT cleared_at FROM alert WHERE tenant_id = $1 ORDER BY number", tenant
            )
        if tuple(row["cleared_at"] is None for row in rows) == is_open:
            return


@pytest.mark.timeout(240)
async def test_a_restored_ingest_raises_no_alert_again(
    ingest, running, publishing, kafka_bootstrap
):
    """What the verdicts were that they rest on, no topic says: the open one goes on until there is
    a newer day."""
    tenant = f"t-{uuid4().hex[:8]}"
    days = [MARCH[0] + timedelta(days=n) for n in range(6)]
    meter_id, (meter, _) = home()
    of_alerts = (AlertRaised, AlertCleared)

    async def send(*events):
        async with publishing() as publisher:
            await publisher.publish([outgoing(event, tenant) for event in events])

    async with running(tenant) as database:
        await send(meter)
        await until_rows(database, "meter", tenant, 1)
        async with transaction(database, tenant=tenant) as tx:
            settings = (AlertSetting("stuck_meter", "raise", Decimal(24)),)
            await replace_rules(tx, tenant, AlertRules(), settings, AT)
        await send(block(meter_id, days[0], 0))
        await until_alerts(database, tenant, True)
    await ingest.copy()

    async with running(tenant) as database:
        for number, energy, expected in ((1, 0, [True]), (2, None, [False]), (3, 0, [False, True])):
            await send(uneven(meter_id, days[number]) if energy is None
                       else block(meter_id, days[number], energy))  # fmt: skip
            await until_rows(database, "channel_day", tenant, number + 1)
            await until_alerts(database, tenant, *expected)
        before = await rows_of(database, "alert", tenant, without=TOUCHED)
    heard = await said(kafka_bootstrap, tenant, *of_alerts)
    assert len(heard) == 3
    await ingest.restore()

    async with running(tenant) as database:
        await until_rows(database, "reading_block", tenant, 4)
        await until_alerts(database, tenant, False, True)
        assert await rows_of(database, "alert", tenant, without=TOUCHED) == before
        assert await said(kafka_bootstrap, tenant, *of_alerts) == heard
        await send(uneven(meter_id, days[4]))
        await until_rows(database, "channel_day", tenant, 5)
        await until_alerts(database, tenant, False, False)
    assert ingest.logged("not adopted", tenant) == []


def uneven(meter_id, day):
    """A day of which no rule says anything."""
    usual = block(meter_id, day, 0)
    return usual.model_copy(update={"values": [100 + n % 7 for n in range(len(usual.values))]})
