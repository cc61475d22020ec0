"""Derived meters that are billed: their days are the sums of their parts', their periods close when
those are complete, and a correction of a part corrects them."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from gridtally.contracts.metering import PeriodClosed
from gridtally.database import ALL_TENANTS, transaction
from gridtally.kernel.ids import own_meter_id

HOURLY = ({"flow": "import", "minutes": 60, "interval_wh_max": 100_000},)
HALF_HOURLY = ({"flow": "import", "minutes": 30, "interval_wh_max": 100_000},)
MAY_1 = datetime(2025, 4, 30, 22, tzinfo=UTC)
"""Midnight in Berlin."""
HOURS = 31 * 24


@pytest.fixture
async def parts(ingest):
    """Two meters of whole and one of half hours."""
    ids = [uuid4() for _ in range(3)]
    for meter_id, channels in zip(ids, (HOURLY, HOURLY, HALF_HOURLY), strict=True):
        await ingest.register(meter_id, channels=channels)
    return ids


async def derived(ingest, *terms, agreed=True, zone="Europe/Berlin", from_on=None, **agreement):
    """A derived meter with an agreement for May."""
    meter_id = uuid4()
    await ingest.register(meter_id, kind="derived", channels=(), zone=zone)
    await ingest.define(meter_id, *terms, from_on=from_on)
    if agreed:
        await ingest.agree(meter_id, date(2025, 5, 1), date(2025, 6, 1), **agreement)
        await ingest.close()
    return meter_id


async def send(ingest, meter_id, value, *, hours=HOURS, at=MAY_1, minutes=60, **more):
    count = hours * 60 // minutes
    await ingest.deliver(ingest.block(meter_id, at, [value] * count, minutes=minutes, **more))


async def closed_periods(ingest, meter_id):
    await ingest.add_up()
    ingest.later(hours=1)
    return [own for own in await ingest.close() if own["meter_id"] == str(meter_id)]


async def test_a_period_closes_when_those_of_all_parts_are_complete(ingest, parts):
    main, sub, half = parts
    meter_id = await derived(ingest, (main, 1, "import"), (sub, -1, "import"), (half, 1, "import"))
    await send(ingest, main, 1000)
    await send(ingest, sub, 400)
    assert await closed_periods(ingest, meter_id) == []
    await send(ingest, half, 50, minutes=30, hours=HOURS - 1)
    assert await closed_periods(ingest, meter_id) == []
    last_at = MAY_1 + timedelta(hours=HOURS - 1)
    await send(ingest, half, 50, minutes=30, hours=1, at=last_at, quality="estimated")
    [closed] = await closed_periods(ingest, meter_id)
    imported, exported = closed["series"]
    assert (closed["closed_by"], imported["flow"], exported["flow"], imported["minutes"]) == (
        "complete", "import", "export", 60,
    )  # fmt: skip
    assert imported["values"] == [700] * HOURS
    assert exported["values"] == [0] * HOURS
    assert imported["quality"] == "A" * (HOURS - 1) + "E"
    assert [
        (own["meter_id"], own["factor"], own["energy_wh"], own["start_on"], own["end_on"])
        for own in sorted(
            imported["summed"], key=lambda own: parts.index(type(main)(own["meter_id"]))
        )
    ] == [
        (str(main), 1, 1000 * HOURS, "2025-05-01", "2025-06-01"),
        (str(sub), -1, 400 * HOURS, "2025-05-01", "2025-06-01"),
        (str(half), 1, 100 * HOURS, "2025-05-01", "2025-06-01"),
    ]
    assert "summed" not in exported
    PeriodClosed.model_validate({name: closed[name] for name in PeriodClosed.model_fields})


async def test_what_is_below_zero_is_exported(ingest, parts):
    main, sub, _ = parts
    meter_id = await derived(ingest, (main, 1, "import"), (sub, -1, "import"))
    await ingest.deliver(ingest.block(main, MAY_1, [100, 300, 200] * (HOURS // 3), minutes=60))
    await send(ingest, sub, 200)
    [closed] = await closed_periods(ingest, meter_id)
    assert [series["values"][:3] for series in closed["series"]] == [[0, 100, 0], [100, 0, 0]]


async def test_a_correction_of_a_part_makes_the_next_revision(ingest, parts):
    main, sub, _ = parts
    meter_id = await derived(ingest, (main, 1, "import"), (sub, 1, "import"))
    await send(ingest, main, 1000)
    await send(ingest, sub, 400)
    [first] = await closed_periods(ingest, meter_id)
    before = {own["meter_id"]: own["version"] for own in first["series"][0]["summed"]}
    await send(ingest, sub, 900, hours=2, at=MAY_1 + timedelta(hours=30), correlation_id="why")
    [_, second] = await closed_periods(ingest, meter_id)
    after = {own["meter_id"]: own["version"] for own in second["series"][0]["summed"]}
    assert (second["revision"], second["cause"]) == (2, "why")
    assert sum(second["series"][0]["values"]) == 1400 * HOURS + 1000
    assert after == before | {str(sub): before[str(sub)] + 1}


async def test_a_sum_whose_channels_are_not_its_own_waits_until_they_are(ingest, parts):
    """As those of a registration are that says more than it may, while it is not billed."""
    main, sub, _ = parts
    terms = (main, 1, "import"), (sub, 1, "import")
    meter_id = await derived(ingest, *terms)
    await send(ingest, main, 1000)
    await send(ingest, sub, 400)
    async with transaction(ingest.database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(
            "UPDATE meter SET channels = $1::jsonb WHERE id = $2",
            '[{"flow": "reactive_import", "minutes": 15, "interval_wh_max": 1000}]',
            meter_id,
        )
    assert await closed_periods(ingest, meter_id) == []
    await ingest.define(meter_id, *terms, version=2)
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == [1400] * HOURS


async def test_a_sum_of_sums_and_another_sum_from_a_day_on(ingest, parts):
    main, sub, half = parts
    inner = await derived(ingest, (sub, 1, "import"), (half, 1, "import"), agreed=False)
    meter_id = await derived(ingest, (main, 1, "import"), (inner, -1, None))
    await send(ingest, main, 1000)
    await send(ingest, sub, 200)
    await send(ingest, half, 50, minutes=30)
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == [700] * HOURS
    days = await ingest.days()
    assert not any(key[0] == inner for key in days)  # nobody is billed by it
    await ingest.define(inner, (sub, 1, "import"), version=2)
    [_, second] = await closed_periods(ingest, meter_id)
    assert second["series"][0]["values"] == [800] * HOURS


async def test_what_was_there_before_the_agreement_is_added_up(ingest, parts):
    main, sub, _ = parts
    await send(ingest, main, 10)
    await send(ingest, sub, 5)
    await ingest.add_up()
    meter_id = await derived(ingest, (main, 1, "import"), (sub, 1, "import"))
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == [15] * HOURS


async def test_definitions_and_meters_may_come_in_any_order(ingest):
    meter_id, part = uuid4(), uuid4()
    await ingest.define(meter_id, (part, 1, "import"))
    await ingest.agree(meter_id, date(2025, 5, 1), date(2025, 6, 1))
    await ingest.close()
    await ingest.register(meter_id, kind="derived", channels=())
    await ingest.close()
    await ingest.register(part, channels=HOURLY)
    await send(ingest, part, 7)
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == [7] * HOURS
    # an older definition, and the same again, change nothing
    await ingest.define(meter_id, (uuid4(), 1, "import"))
    assert len(await closed_periods(ingest, meter_id)) == 1
    # its registration again, which has no channels, takes none away
    await ingest.register(meter_id, kind="derived", channels=(), version=2)
    await send(ingest, part, 8, hours=1)
    assert len(await closed_periods(ingest, meter_id)) == 2


async def test_unmetered_is_total_less_gg_and_sg_of_its_property(ingest):
    property_id = uuid4()
    ids = {kind: own_meter_id("acme", property_id, kind) for kind in ("total", "gg", "sg")}
    meter_id = own_meter_id("acme", property_id, "unmetered")
    generation = ({"flow": "generation", "minutes": 60, "interval_wh_max": 100_000},)
    for kind, own in ids.items():
        channels = generation if kind == "sg" else HOURLY
        await ingest.register(own, kind=kind, channels=channels)
    await ingest.register(meter_id, kind="unmetered", channels=(), property_id=property_id)
    await ingest.agree(meter_id, date(2025, 5, 1), date(2025, 6, 1))
    await ingest.close()
    for kind, value in (("total", 25_000), ("gg", 12_345), ("sg", 8_765)):
        await send(ingest, ids[kind], value, flow="generation" if kind == "sg" else "import")
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == [3_890] * HOURS


async def test_a_part_in_another_zone_and_the_day_of_25_hours(ingest):
    ingest.now = datetime(2025, 11, 10, tzinfo=UTC)
    part, meter_id = uuid4(), uuid4()
    await ingest.register(part, channels=HOURLY, zone="UTC")
    await ingest.register(meter_id, kind="derived", channels=())
    await ingest.define(meter_id, (part, 1, "import"))
    await ingest.agree(meter_id, date(2025, 10, 26), date(2025, 10, 27))
    await ingest.close()
    values = list(range(72))
    await ingest.deliver(ingest.block(part, datetime(2025, 10, 25, tzinfo=UTC), values, minutes=60))
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == values[22:47]


async def test_a_period_without_parts_is_billed_with_what_is_there_when_its_grace_ends(ingest):
    meter_id = await derived(ingest, (uuid4(), 1, "import"), closing="bill_present", grace_hours=1)
    [closed] = await closed_periods(ingest, meter_id)
    assert (closed["closed_by"], closed["series"]) == ("grace", [])


async def test_readings_of_a_derived_meter_are_refused(ingest, parts):
    meter_id = await derived(ingest, (parts[0], 1, "import"))
    await send(ingest, meter_id, 5, hours=1)
    rows = await ingest.rows("SELECT reason FROM quarantine")
    assert [row["reason"] for row in rows] == ["derived_meter"]


@pytest.mark.parametrize("seed", range(3))
async def test_order_and_repetition_of_messages_change_nothing(ingest, parts, seed):
    """Blocks of three parts, corrected and shuffled: the sum of what is in force."""
    dice = Random(seed)
    meter_id = await derived(
        ingest, (parts[0], 1, "import"), (parts[1], -1, "import"), (parts[2], 1, "import")
    )
    blocks = []
    for number in range(60):
        part = dice.randrange(3)
        minutes = 30 if part == 2 else 60
        values = [dice.randrange(1000) for _ in range(dice.randrange(1, 30))]
        at = MAY_1 + timedelta(hours=dice.randrange(HOURS - 30))
        read_at = MAY_1 + timedelta(days=40, seconds=number)
        blocks.append(ingest.block(parts[part], at, values, minutes=minutes, read_at=read_at))
    ingest.now = MAY_1 + timedelta(days=45)
    blocks += dice.choices(blocks, k=10)
    dice.shuffle(blocks)
    while blocks:
        batch = [blocks.pop() for _ in range(min(len(blocks), dice.randrange(1, 8)))]
        await ingest.deliver(*batch)
        if dice.random() < 0.5:
            await ingest.add_up()
    ingest.later(hours=2)
    await ingest.add_up()
    days = await ingest.days()
    for day in {key[2] for key in days if key[0] in parts}:
        rows = [days.get((part, "import", day), ([None] * 48, ""))[0] for part in parts]
        for hour in range(24):
            half = rows[2][2 * hour : 2 * hour + 2]
            own = [rows[0][hour], rows[1][hour], None if None in half else sum(half)]
            net = None if None in own else own[0] - own[1] + own[2]
            for flow, sign in (("import", 1), ("export", -1)):
                values = days.get((meter_id, flow, day), ([None] * 24, ""))[0]
                assert values[hour] == (None if net is None else max(sign * net, 0))
    counts = await ingest.counts()
    present = sum(sum(v is not None for v in values) for values, _ in days.values())
    assert counts["new"] == present


async def test_another_tenant_sees_and_changes_nothing(ingest, parts):
    meter_id = await derived(ingest, (parts[0], 1, "import"))
    await ingest.register(parts[0], tenant="other", channels=HOURLY)
    await ingest.define(meter_id, (parts[1], 1, "import"), version=9, tenant="other")
    await send(ingest, parts[0], 3, tenant="other")
    assert await closed_periods(ingest, meter_id) == []
    await send(ingest, parts[0], 4)
    [closed] = await closed_periods(ingest, meter_id)
    assert closed["series"][0]["values"] == [4] * HOURS


async def test_what_was_known_of_a_sum_is_asked_of_its_parts(ingest, parts, clients):
    """Its series is answered like any other, but no blocks say what it was earlier."""
    meter_id = await derived(ingest, (parts[0], 1, "import"))
    await send(ingest, parts[0], 4, hours=24)
    await ingest.add_up()
    acme = await clients("acme", "ingest:read")
    path = f"/v1/meters/{meter_id}/series"
    day = {"flow": "import", "from": "2025-05-01", "to": "2025-05-02"}
    answer = (await acme.get(path, params=day)).json()
    assert answer["values_wh"] == [4] * 24
    earlier = {"as_known_at": "2025-06-01T00:00:00Z"}
    body = {"meter_ids": [str(meter_id)], "flows": ["import"], "start_on": "2025-05-01",
            "end_on": "2025-05-02"}  # fmt: skip
    assert (await acme.post("/v1/series/query", json=body)).status_code == 200
    for refused in (
        await acme.get(path, params=day | earlier),
        await acme.post("/v1/series/query", json=body | earlier),
    ):
        assert (refused.status_code, refused.json()["code"]) == (422, "derived_meter")
