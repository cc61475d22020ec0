"""The archive: old months leave the database for files, and nobody can tell from an answer."""

import json
from datetime import date
from uuid import uuid4

import asyncpg
import pytest
from pyarrow import parquet

from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.handlers.archive import Overtaken, archive_oldest
from gridtally.ingest.store.archive import shards
from gridtally.kernel.errors import Poison
from gridtally.kernel.periods import midnight_utc
from integration.ingest.archive_readings import (
    BERLIN,
    HOURLY,
    PANELS,
    SAO_PAULO,
    WINDOW,
    answers,
    channel,
    in_database,
    later,
    same,
    set_limit,
)


async def test_answers_are_the_same_from_the_archive(ingest, spring):
    await later(ingest, days=80)  # 8 August: April is older than three whole months
    before = await answers(ingest, spring)
    assert await ingest.archive() > 500
    left = await in_database(ingest)
    assert list(left) == [], "all of it is older than three months"
    assert await in_database(ingest, "reading_block") == {}
    assert same(before, await answers(ingest, spring)) == []
    assert json.loads(before["reconciliation"])["holds"]


async def test_a_window_may_be_archived_in_part(ingest, spring):
    await later(ingest, days=40)  # 29 June: February is older
    before = await answers(ingest, spring)
    assert await ingest.archive() > 50
    assert list(await in_database(ingest)) == ["2024-03", "2024-04"]
    assert same(before, await answers(ingest, spring)) == []
    await later(ingest, days=31)
    before = await answers(ingest, spring)
    await ingest.archive()
    assert list(await in_database(ingest)) == ["2024-04"]
    assert same(before, await answers(ingest, spring)) == []


async def test_the_files_are_what_the_manifest_says(ingest, spring):
    await later(ingest, days=80)
    await ingest.archive()
    page = (await spring.get("/v1/archived-shards")).json()
    assert [shard["month_on"] for shard in page["items"]] == [
        "2024-02-01", "2024-03-01", "2024-04-01"
    ]  # fmt: skip
    directory = ingest.settings.archive_directory
    for shard in page["items"]:
        for file in shard["files"]:
            path = directory / file["name"]
            assert path.stat().st_size == file["bytes"]
            assert parquet.read_metadata(path).num_rows == file["rows"]
        manifest = json.loads((path.parent / "manifest.json").read_text())
        assert {name: facts["sha256"] for name, facts in manifest["files"].items()} == {
            file["name"].rpartition("/")[2]: file["sha256"] for file in shard["files"]
        }
        energy = {flow["flow"]: flow["energy_wh"] for flow in shard["energy"]}
        days = parquet.read_table(directory / shard["files"][0]["name"]).to_pylist()
        for flow, energy_wh in energy.items():
            values = [day["values"] for day in days if day["flow"] == flow]
            assert sum(value or 0 for of_day in values for value in of_day) == energy_wh
    assert not list(directory.rglob("*.part"))


async def test_a_late_reading_of_an_archived_day_is_one_more_correction(ingest, spring):
    """The channel-day is recalled, corrected in its next version, and archived again."""
    await later(ingest, days=80)
    await ingest.archive()
    at = midnight_utc("Europe/Berlin", date(2024, 3, 7))
    [version] = [
        day["version"]
        for day in (await days_of(spring, BERLIN))
        if (day["day"], day["flow"]) == ("2024-03-07", "import")
    ]
    known_at = ingest.now
    before = await answers(ingest, spring)
    ingest.later(hours=1)
    event_id = uuid4()
    await ingest.deliver(ingest.block(BERLIN, at, [4_321] * 4, event_id=event_id))
    assert await in_database(ingest) == {"2024-03": 2}, "the day of the meter alone, both flows"
    [usage] = await ingest.publish_usage()
    assert usage["version"] == version + 1
    assert usage["values"][:4] == [4_321] * 4
    ingest.known.append(known_at)
    recalled = await answers(ingest, spring)
    assert recalled["query", known_at] == before["query", None]
    assert json.loads(recalled["reconciliation"])["holds"]
    assert await ingest.archive() > 0
    assert await in_database(ingest) == {}
    assert same(recalled, await answers(ingest, spring)) == []
    # the same event once more: a duplicate, whether its day is archived or not
    await ingest.deliver(ingest.block(BERLIN, at, [4_321] * 4, event_id=event_id))
    assert (await ingest.counts())["duplicates"] == 1
    await ingest.archive()
    [shard] = [
        shard
        for shard in (await spring.get("/v1/archived-shards")).json()["items"]
        if shard["month_on"] == "2024-03-01"
    ]
    assert shard["generation"] == 3
    again = await answers(ingest, spring)
    assert same(recalled, again) == ["reconciliation"], "one duplicate more"
    assert json.loads(again["reconciliation"])["holds"]


async def test_a_reading_that_comes_meanwhile_is_not_lost(ingest, spring, monkeypatch):
    """It is committed after the rows were read, and before anybody is kept out."""
    await later(ingest, days=80)
    await set_limit(ingest)
    at = midnight_utc("Europe/Berlin", date(2024, 2, 20))
    whole = shards.lock_tenant

    async def lock_tenant(tx, tenant_id):
        await ingest.deliver(ingest.block(BERLIN, at, [4_321] * 4))
        await whole(tx, tenant_id)

    stored = await in_database(ingest)
    monkeypatch.setattr(shards, "lock_tenant", lock_tenant)
    with pytest.raises(Overtaken):
        await ingest.poll(archive_oldest, ingest.recorder.archive, ingest.now)
    monkeypatch.undo()
    assert await in_database(ingest) == stored
    before = await answers(ingest, spring)
    await ingest.archive()
    assert await in_database(ingest) == {}
    assert same(before, await answers(ingest, spring)) == []
    params = {"flow": "import", "from": "2024-02-20", "to": "2024-02-21"}
    answer = await spring.get(f"/v1/meters/{BERLIN}/series", params=params)
    assert answer.json()["values_wh"][:4] == [4_321] * 4


async def days_of(client, meter_id):
    answer = await client.get(
        f"/v1/meters/{meter_id}/completeness",
        params={"from": WINDOW["start_on"], "to": WINDOW["end_on"]},
    )
    return answer.json()["days"]


async def test_a_file_that_is_missing_or_altered_is_said_to_be(ingest, spring):
    await later(ingest, days=80)
    await ingest.archive()
    directory = ingest.settings.archive_directory
    [path] = directory.glob("acme/2024-03/*/channel-days.parquet")
    params = {"flow": "import", "from": "2024-03-01", "to": "2024-03-05"}
    content = path.read_bytes()

    async def refused():
        answer = await spring.get(f"/v1/meters/{BERLIN}/series", params=params)
        assert answer.status_code == 503, answer.text
        assert answer.json()["code"] == "archive_unreadable"
        assert "acme/2024-03/0000-1/channel-days.parquet" in answer.json()["detail"]
        query = {"meter_ids": [str(BERLIN)], "flows": ["import"]} | WINDOW
        assert (await spring.post("/v1/series/query", json=query)).status_code == 503

    for altered in (
        content[:200] + bytes([content[200] ^ 1]) + content[201:], content[:-1], b"", content * 2
    ):  # fmt: skip
        path.write_bytes(altered)
        await refused()
    path.unlink()
    await refused()
    assert (await spring.get(f"/v1/meters/{BERLIN}/series", params=params | {
        "from": "2024-02-20", "to": "2024-02-25"})).status_code == 200  # fmt: skip
    path.write_bytes(content)
    answer = await spring.get(f"/v1/meters/{BERLIN}/series", params=params)
    assert answer.status_code == 200


async def test_a_missing_file_holds_up_only_what_needs_it(ingest, spring):
    """A late reading is a dead letter, to be replayed; a period is looked at again later."""
    await ingest.agree(BERLIN, date(2024, 3, 1), date(2024, 4, 1), closing="bill_present",
                       grace_hours=0)  # fmt: skip
    await ingest.agree(HOURLY, date(2024, 4, 1), date(2024, 5, 1), closing="bill_present",
                       grace_hours=0)  # fmt: skip
    assert len(await ingest.close()) == 2
    await later(ingest, days=80)
    await ingest.archive()
    directory = ingest.settings.archive_directory
    [path] = directory.glob("acme/2024-03/*/reading-blocks.parquet")
    content = path.read_bytes()
    path.unlink()
    late = ingest.block(BERLIN, midnight_utc("Europe/Berlin", date(2024, 3, 7)), [4_321] * 4)
    with pytest.raises(Poison, match="the archive lacks acme/2024-03/0000-1/reading-blocks"):
        await ingest.deliver(late)
    at = midnight_utc("Europe/Paris", date(2024, 4, 7))
    await ingest.deliver(ingest.block(HOURLY, at, [1] * 24, minutes=60))
    shorter = channel("export", end_at="2024-03-20T00:00:00Z")
    await ingest.register(BERLIN, channels=[channel(), shorter], version=2)
    ingest.later(seconds=10)
    events = await ingest.close()
    assert [(event["meter_id"], event["revision"]) for event in events[2:]] == [(str(HOURLY), 2)]
    path.write_bytes(content)
    ingest.later(minutes=11)
    await ingest.deliver(late)
    ingest.later(seconds=10)
    events = await ingest.close()
    assert [(event["meter_id"], event["revision"]) for event in events[3:]] == [(str(BERLIN), 2)]
    values = next(own["values"] for own in events[3]["series"] if own["flow"] == "import")
    assert values[6 * 96 : 6 * 96 + 4] == [4_321] * 4
    assert (await spring.get("/v1/reconciliation")).json()["holds"]


@pytest.mark.usefixtures("spring")
async def test_blocks_leave_only_with_their_shard(ingest):
    """The trigger: not before, not of another month, and not in a later transaction."""
    await later(ingest, days=40)
    await ingest.archive()
    for where in ("true", "day >= '2024-04-01'"):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            async with transaction(ingest.database, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute(f"DELETE FROM reading_block WHERE {where}")  # noqa: S608
    for statement in ("UPDATE reading_block SET slot = 0", "TRUNCATE reading_block"):
        with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
            async with transaction(ingest.database, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute(statement)


@pytest.mark.usefixtures("spring")
async def test_the_newest_days_of_a_silent_channel_stay(ingest):
    """Alerts look at them: for how long it has sent nothing, whatever its tenant keeps."""
    ingest.later(days=200)
    await ingest.archive()
    rows = await ingest.rows("SELECT meter_id, flow, day FROM channel_day ORDER BY 1, 2, 3")
    last = {PANELS: date(2024, 3, 25)}
    channels = ((BERLIN, "export"), (BERLIN, "import"), (HOURLY, "import"),
                (PANELS, "generation"), (SAO_PAULO, "import"))  # fmt: skip
    left = {(row["meter_id"], row["flow"]): [] for row in rows}
    for row in rows:
        left[row["meter_id"], row["flow"]].append(row["day"])
    assert left.keys() == set(channels)
    for (meter_id, _), days in left.items():
        assert len(days) == 2
        if meter_id in last:
            assert days[-1] == last[meter_id]


@pytest.mark.usefixtures("spring")
async def test_nothing_leaves_that_is_still_needed(ingest):
    """Days of open periods, days that are not announced yet, and those of other tenants."""
    await ingest.register(BERLIN, tenant="umbra")
    at = midnight_utc("Europe/Berlin", date(2024, 2, 16))
    await ingest.deliver(ingest.block(BERLIN, at, [1] * 96, tenant="umbra"))
    await ingest.publish_usage()
    await ingest.agree(HOURLY, date(2024, 2, 1), date(2024, 4, 1))
    await ingest.close()
    await later(ingest, days=80)
    await ingest.deliver(ingest.block(SAO_PAULO, at, [77] * 24, minutes=60))
    await set_limit(ingest)
    assert await ingest.poll(archive_oldest, ingest.recorder.archive, ingest.now) > 0
    months = await in_database(ingest)
    assert months["2024-02"] > 40, "a day of February is not announced"
    assert "2024-03" not in months
    await ingest.archive()
    rows = await ingest.rows(
        "SELECT DISTINCT tenant_id, meter_id FROM channel_day WHERE day < '2024-05-02'"
    )
    left = {(row["tenant_id"], row["meter_id"]) for row in rows}
    assert left == {("acme", HOURLY), ("umbra", BERLIN)}


@pytest.mark.usefixtures("spring")
async def test_a_closed_period_is_checked_against_archived_days(ingest):
    """A correction after its month has left makes the next revision, of all its days."""
    await ingest.agree(BERLIN, date(2024, 3, 1), date(2024, 4, 1), closing="bill_present",
                       grace_hours=0)  # fmt: skip
    [closed] = await ingest.close()
    await later(ingest, days=80)
    await ingest.archive()
    assert await in_database(ingest) == {}
    at = midnight_utc("Europe/Berlin", date(2024, 3, 7))
    await ingest.deliver(ingest.block(BERLIN, at, [4_321] * 4))
    ingest.later(seconds=10)
    [_, revised] = await ingest.close()
    assert (closed["revision"], revised["revision"]) == (1, 2)
    for flow in closed["series"]:
        [other] = [own for own in revised["series"] if own["flow"] == flow["flow"]]
        differs = [
            index
            for index, pair in enumerate(zip(flow["values"], other["values"], strict=True))
            if pair[0] != pair[1]
        ]
        assert len(differs) == (4 if flow["flow"] == "import" else 0)


@pytest.mark.usefixtures("spring")
async def test_a_tenant_reads_only_its_own_folder(ingest, clients):
    await later(ingest, days=80)
    await ingest.archive()
    neighbour = await clients(tenant="umbra")
    assert (await neighbour.get("/v1/archived-shards")).json()["items"] == []
    params = {"flow": "import", "from": "2024-03-01", "to": "2024-03-05"}
    answer = await neighbour.get(f"/v1/meters/{BERLIN}/series", params=params)
    assert answer.status_code == 404
    await ingest.register(BERLIN, tenant="umbra")
    answer = await neighbour.get(f"/v1/meters/{BERLIN}/series", params=params)
    assert set(answer.json()["values_wh"]) == {None}
    assert [path.name for path in ingest.settings.archive_directory.iterdir()] == ["acme"]


async def test_the_limit_is_a_tenants_own(ingest, spring):
    assert (await spring.get("/v1/archive-settings")).json() == {"version": 0, "months": None}
    answer = await spring.put("/v1/archive-settings", json={"months": 24})
    assert (answer.status_code, answer.json()) == (200, {"version": 1, "months": 24})
    stale = await spring.put(
        "/v1/archive-settings", json={"months": 12}, headers={"If-Match": '"0"'}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "version_moved")
    for months in (2, 601, -1):
        refused = await spring.put("/v1/archive-settings", json={"months": months})
        assert refused.status_code == 422
    ingest.later(days=400)
    assert await ingest.poll(archive_oldest, ingest.recorder.archive, ingest.now) == 0
    ingest.later(days=400)
    assert await ingest.poll(archive_oldest, ingest.recorder.archive, ingest.now) > 0
    assert (await spring.put("/v1/archive-settings", json={"months": None})).status_code == 200
    assert await ingest.poll(archive_oldest, ingest.recorder.archive, ingest.now) == 0


async def test_without_a_directory_nothing_is_archived(ingest, spring):
    await later(ingest, days=80)
    await ingest.archive()
    ingest.recorder.archive.folders.directory = None
    answer = await spring.put("/v1/archive-settings", json={"months": 3})
    assert (answer.status_code, answer.json()["code"]) == (409, "archive_off")
    assert (await spring.put("/v1/archive-settings", json={"months": None})).status_code == 200
    params = {"flow": "import", "from": "2024-03-01", "to": "2024-03-05"}
    answer = await spring.get(f"/v1/meters/{BERLIN}/series", params=params)
    assert (answer.status_code, answer.json()["code"]) == (503, "archive_unreadable")
