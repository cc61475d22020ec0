"""Files of readings over HTTP: proposed, checked, run, replayed; a second time changes nothing."""

import asyncio
import json
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from gridtally.cli.commands import watch
from gridtally.cli.commands.imports import send_file
from gridtally.cli.errors import CommandError
from gridtally.cli.import_file import parse_goals
from gridtally.cli.watched_folder import read_declaration
from gridtally.ingest.events.blocks import read_block
from gridtally.ingest.handlers.imports import BLOCKS_MAX, Importer
from gridtally.kernel.errors import Transient
from gridtally.messaging import ReceivedMessage
from integration.command_api import command_api

METER, OTHER = UUID(int=7), UUID(int=8)
DAY = date(2025, 5, 10)
FILE = {"Content-Type": "application/octet-stream"}
CSV = (
    "start_local;kwh\n"
    + "\n".join(f"2025-05-10T{slot // 4:02}:{slot % 4 * 15:02};0,25" for slot in range(96))
    + "\n"
)
WAIT_S = 60
NAMES = {"name": "may.csv", "zone": "Europe/Berlin"}


@pytest.fixture
async def client(ingest, clients):
    await ingest.register(METER)
    return await clients()


@pytest.fixture
def importer(ingest):
    return Importer(ingest.sent, ingest.recorder)


async def send(client, content=CSV, **names):
    body = content if isinstance(content, bytes) else content.encode()
    return await client.post("/v1/imports", content=body, params=NAMES | names, headers=FILE)


def declared(proposed, meter_id=METER, **change):
    mapping = {channel["name"]: {"meter_id": str(meter_id), "flow": "import"}
               for channel in proposed["channels"]}  # fmt: skip
    return {"layout": proposed["layout"], "mapping": mapping} | change


async def publish_all(ingest, importer):
    """What the loop and the consumer do."""
    while await ingest.poll(importer.work, ingest.now):
        pass
    sent = list(ingest.sent)
    ingest.sent.clear()
    await publish_all_of(ingest, importer, sent)


async def publish_all_of(ingest, importer, messages):
    """The same, with other messages than were just sent."""
    while await ingest.poll(importer.work, ingest.now):
        pass
    batch = [
        ReceivedMessage(
            read_block(sent.value), sent.envelope, sent.topic, 0, 0, sent.key, sent.value
        )
        for sent in messages
    ]
    if batch:
        await ingest.deliver(*batch)


async def test_a_file_is_proposed_checked_and_imported_once(ingest, client, importer):
    answer = await send(client)
    assert answer.status_code == 201, answer.text
    proposed = answer.json()
    assert (proposed["status"], proposed["layout"]["decimal_mark"]) == ("proposed", ",")
    [channel] = proposed["channels"]
    assert (channel["values"], channel["missing"], channel["energy_wh"]) == (96, 0, 24_000)
    assert (channel["start_at"], channel["name"]) == ("2025-05-09T22:00:00Z", "kwh")
    assert any("clock of Europe/Berlin" in note for note in proposed["notes"])
    assert await ingest.days() == {}  # nothing before it is confirmed

    path = answer.headers["Location"]
    again = await send(client, name="the same.csv")
    assert (again.status_code, again.json()["id"]) == (200, proposed["id"])

    declaration = declared(proposed)
    check = (await client.post(f"{path}/check", json=declaration)).json()
    assert check == {"blocks": 1, "values": 96, "refused": 0, "refusals": []}
    assert (await client.post(f"{path}/run", json=declaration)).status_code == 202
    for verb in ("run", "replay"):
        answer = await client.post(f"{path}/{verb}", json=declaration if verb == "run" else None)
        assert answer.status_code == 409
    await publish_all(ingest, importer)
    done = (await client.get(path)).json()
    assert (done["status"], done["blocks"], done["accepted"]) == ("done", 1, 1)
    [(values, quality)] = (await ingest.days()).values()
    assert (values, quality) == ([250] * 96, "A" * 96)
    assert (await client.post(f"{path}/run", json=declaration)).json()["code"] == "import_done"

    assert (await client.post(f"{path}/replay")).status_code == 202
    await publish_all(ingest, importer)
    assert (await ingest.counts())["duplicates"] == 1
    [row] = await ingest.rows("SELECT version FROM channel_day")
    assert row["version"] == 1
    listed = (await client.get("/v1/imports")).json()["items"]
    assert [item["id"] for item in listed] == [proposed["id"]]


async def test_what_is_refused_is_listed_and_replayed_after_a_repair(ingest, client, importer):
    """A meter that is not registered yet: each block is listed, and stored once it is."""
    proposed = (await send(client)).json()
    path = f"/v1/imports/{proposed['id']}"
    await client.post(f"{path}/run", json=declared(proposed, OTHER))
    await publish_all(ingest, importer)
    done = (await client.get(path)).json()
    assert (done["status"], done["accepted"]) == ("done", 0)
    [refusal] = done["refusals"]
    assert (refusal["reason"], refusal["values"]) == ("unknown_meter", 96)
    await ingest.register(OTHER)
    await client.post(f"{path}/replay")
    await publish_all(ingest, importer)
    done = (await client.get(path)).json()
    assert (done["accepted"], done["refusals"]) == (1, [])
    assert len(await ingest.days()) == 1


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"mapping": {}}, "channels_unmapped", "kwh: map it to a meter, or leave it out"),
        ({"mapping": {"kwh": {"meter_id": str(METER)}}}, "channels_unmapped", "say its flow"),
        (
            {"mapping": {"kwh": {"meter_id": str(METER), "flow": "reactive_import"}}},
            "channels_unmapped",
            "is in Wh, and reactive_import is measured in varh",
        ),
        ({"left_out": ["other"]}, "channels_unmapped", "has no such channel"),
        ({"layout": {"kind": "nem12"}}, "file_unreadable", "is no record of NEM12"),
        ({"layout": {"kind": "pdf"}}, "invalid_request", "kind"),
    ],
)
async def test_a_declaration_that_does_not_fit_is_refused(client, change, code, words):
    proposed = (await send(client)).json()
    for verb in ("check", "run"):
        answer = await client.post(
            f"/v1/imports/{proposed['id']}/{verb}", json=declared(proposed, **change)
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert words in json.dumps(answer.json())


async def test_a_file_that_is_not_recognized_says_why(client):
    answer = await send(client, "hour,kwh\nfirst,1\n")
    assert (answer.status_code, answer.json()["status"]) == (201, "unreadable")
    assert "no column of dates and times" in answer.json()["detail"]
    assert (await send(client, b"")).json()["code"] == "file_unreadable"
    wrong = await client.post("/v1/imports", json={}, params=NAMES)
    assert wrong.status_code == 415
    assert (await send(client, zone="Mars/Olympus")).status_code == 422
    assert (await client.get(f"/v1/imports/{uuid4()}")).json()["code"] == "import_unknown"


async def test_an_import_is_its_tenants(client, clients):
    proposed = (await send(client)).json()
    neighbour = await clients("other", "ingest:read", "ingest:write")
    assert (await neighbour.get(f"/v1/imports/{proposed['id']}")).status_code == 404
    assert (await neighbour.get("/v1/imports")).json()["items"] == []
    assert (await send(neighbour)).json()["id"] != proposed["id"]


async def test_a_run_that_is_cut_off_is_taken_up_again(ingest, client, monkeypatch):
    """More blocks than a transaction takes; the broker fails once, and another process goes on."""
    days = BLOCKS_MAX + 20  # every second hour is missing, so each hour is a block of its own
    rows = [
        f"2024-{n // 336 + 1:02}-{n // 12 % 28 + 1:02}T{n % 12 * 2:02}:00,1" for n in range(days)
    ]
    content = "start_local,kwh\n" + "\n".join(rows) + "\n"
    await ingest.register(
        METER, channels=[{"flow": "import", "minutes": 60, "interval_wh_max": 9_000}], version=2
    )
    proposed = (await send(client, content)).json()
    layout = proposed["layout"] or {}
    layout = {"kind": "csv", "stamp_columns": ["start_local"], "clock": "UTC", "minutes": 60,
              "values": [{"column": "kwh", "unit": "kWh", "flow": "import"}]} | layout  # fmt: skip
    layout["minutes"] = 60
    mapping = {"kwh": {"meter_id": str(METER), "flow": "import"}}
    path = f"/v1/imports/{proposed['id']}"
    ran = await client.post(f"{path}/run", json={"layout": layout, "mapping": mapping})
    assert ran.status_code == 202, ran.text
    assert ran.json()["blocks"] == days
    await ingest.poll(Importer(ingest.sent, ingest.recorder).work, ingest.now)
    half = list(ingest.sent)
    assert (await client.get(path)).json()["done"] == len(half) == BLOCKS_MAX

    async def fail(messages):
        ingest.sent.extend(messages)
        raise Transient("the answer was lost")

    with monkeypatch.context() as broken:
        broken.setattr(ingest.sent, "publish", fail)
        with pytest.raises(Transient):
            await ingest.poll(Importer(ingest.sent, ingest.recorder).work, ingest.now)
    await publish_all(ingest, Importer(ingest.sent, ingest.recorder))
    assert (await client.get(path)).json()["status"] == "done"
    counts = await ingest.counts()
    assert (counts["stored"], counts["duplicates"], counts["new"]) == (days, 20, days)


class Installed:
    """An installation whose ingest is the application of this test."""

    def __init__(self, client):
        self._client = client

    def as_tenant(self):
        return command_api("ingest", self._client)


async def test_the_command_imports_what_it_has_shown(ingest, clients, importer, capfd):
    await ingest.register(METER)
    goals = parse_goals([], [], str(METER), "import")

    async def command(**how):
        installation = Installed(await clients())
        return await send_file(
            installation, Path("may.csv"), CSV.encode(), "Europe/Berlin", goals, None, **how
        )

    async def loop():
        async with asyncio.timeout(WAIT_S):
            while not await ingest.poll(importer.work, ingest.now):
                pass

    with pytest.raises(CommandError, match="is a proposal"):
        await command(dry_run=False, yes=False)
    checked, refused = await command(dry_run=True, yes=False)
    assert (checked["values"], refused) == (96, 0)
    (done, refused), _ = await asyncio.gather(command(dry_run=False, yes=True), loop())
    assert (done["status"], done["accepted"], refused) == ("done", 1, 0)
    shown = capfd.readouterr().err
    assert "channel kwh: flow unknown, 15 min" in shown
    assert "24.000 kWh" in shown
    assert "1 of 1 blocks imported" in shown


async def test_an_import_can_be_undone_and_done_again(ingest, client, importer):
    """Half a day is known before (100 Wh), the file says 250 Wh for all of it. Undone, that half
    is 100 Wh again and the rest is missing; what comes late is refused."""
    begin = "2025-05-10T00:00:00+02:00"
    await ingest.deliver(ingest.block(METER, begin, [100] * 48))
    proposed = (await send(client)).json()
    path, declaration = f"/v1/imports/{proposed['id']}", declared(proposed)
    assert (await client.post(f"{path}/undo")).json()["code"] == "import_not_done"
    ingest.later(seconds=10)
    await client.post(f"{path}/run", json=declaration)
    while await ingest.poll(importer.work, ingest.now):
        pass
    late = list(ingest.sent)
    await publish_all(ingest, importer)
    ingest.later(seconds=10)
    imported_at = ingest.now
    assert [values for values, _ in (await ingest.days()).values()] == [[250] * 96]

    ingest.later(seconds=10)
    assert (await client.post(f"{path}/undo")).status_code == 202
    await publish_all_of(ingest, importer, late[:0])
    undone = (await client.get(path)).json()
    assert (undone["status"], undone["done"]) == ("undone", 1)
    [(values, quality)] = (await ingest.days()).values()
    assert values == [100] * 48 + [None] * 48
    assert quality == "A" * 48 + "-" * 48
    window = {"flow": "import", "from": "2025-05-10", "to": "2025-05-11"}
    known = await client.get(
        f"/v1/meters/{METER}/series",
        params=window | {"as_known_at": imported_at.isoformat()},
    )
    assert known.json()["values_wh"] == [250] * 96
    counted = (await client.get("/v1/reconciliation")).json()
    assert counted["holds"], counted

    await publish_all_of(ingest, importer, late)  # delivered again: still withdrawn
    assert (await ingest.counts())["quarantined"] == 1
    assert (await ingest.days())[METER, "import", DAY][0] == [100] * 48 + [None] * 48
    await client.post(f"{path}/run", json=declaration)
    await publish_all(ingest, importer)
    assert [values for values, _ in (await ingest.days()).values()] == [[250] * 96]


async def test_a_watched_folder_imports_what_comes_to_rest(
    ingest, clients, importer, tmp_path, monkeypatch
):
    """One file as declared, one that is not: each lies where it belongs, with the reason."""
    await ingest.register(METER)
    monkeypatch.setattr(watch, "POLL_S", 0.01)
    layout = {"kind": "csv", "separator": ";", "decimal_mark": ",", "clock": "Europe/Berlin",
              "stamp_columns": ["start_local"], "minutes": 15,
              "values": [{"column": "kwh", "flow": "import"}]}  # fmt: skip
    mapping = {"kwh": {"meter_id": str(METER)}}
    declared = {"zone": "Europe/Berlin", "layout": layout, "mapping": mapping}
    (tmp_path / "import.json").write_text(json.dumps(declared))
    (tmp_path / "may.csv").write_text(CSV)
    (tmp_path / "torn.csv").write_text(CSV[:-3])

    async def loop():
        async with asyncio.timeout(WAIT_S):
            while not await ingest.poll(importer.work, ingest.now):
                pass

    client = await clients()
    client.aclose = close_not
    outcomes, _ = await asyncio.gather(
        watch.watch_folder(Installed(client), tmp_path, read_declaration(tmp_path), once=True),
        loop(),
    )
    assert [outcome["imported"] for outcome in outcomes] == [True, False]
    assert (tmp_path / "imported" / "may.csv").read_text() == CSV
    assert "row 97" in (tmp_path / "refused" / "torn.csv.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "import.json", "imported", "refused",
    ]  # fmt: skip


async def close_not():
    """The command closes its client after each file, and this test has one."""
