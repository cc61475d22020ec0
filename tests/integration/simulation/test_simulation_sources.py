"""Where readings and tariffs come from: generated, stored, policies of their own, versions."""

import csv
import io
import struct
import zipfile
import zlib
from decimal import Decimal
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest

from golden import bills
from gridtally.kernel.errors import Transient
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage
from integration.simulation.runs import APRIL, GROSS, NET, bills_of, completed, made, run_of

PROFILE = {"latitude": "52.52", "longitude": "13.40", "tilt_degrees": "30",
           "azimuth_degrees": "180", "kwp": "5", "annual_kwh": "3500"}  # fmt: skip


def unpacked(archive):
    """The files of a ZIP by name, read from its front to its back by the format's specification
    alone (APPNOTE 4.3.7 to 4.3.12), as a reader does that takes it while it comes."""
    files, at, seen = {}, 0, []
    while archive[at : at + 4] == b"PK\x03\x04":
        flags, method, _, _, _, _, _, name_bytes, extra_bytes = struct.unpack_from(
            "<HHHHIIIHH", archive, at + 6
        )
        assert (flags & 8, method) == (8, 8)  # sizes follow the data, which are deflated
        begin = at + 30 + name_bytes + extra_bytes
        name = archive[at + 30 : at + 30 + name_bytes].decode()
        inflater = zlib.decompressobj(-15)
        files[name] = inflater.decompress(archive[begin:]) + inflater.flush()
        end = len(archive) - len(inflater.unused_data)
        signature, crc, packed, size = struct.unpack_from("<IIII", archive, end)
        assert signature == 0x08074B50
        assert (crc, packed, size) == (zlib.crc32(files[name]), end - begin, len(files[name]))
        seen.append((name, at))
        at = end + 16
    listed = []
    while archive[at : at + 4] == b"PK\x01\x02":
        lengths = struct.unpack_from("<HHH", archive, at + 28)
        [offset] = struct.unpack_from("<I", archive, at + 42)
        listed.append((archive[at + 46 : at + 46 + lengths[0]].decode(), offset))
        at += 46 + sum(lengths)
    assert archive[at : at + 4] == b"PK\x05\x06"
    assert listed == seen
    return files


async def test_generated_readings_and_their_files(simulation, clients):
    acme = await clients("acme")
    root_id = await simulation.node()
    house_ids = [await simulation.node(kw="15", parent_id=root_id) for _ in range(3)]
    without = await made(acme, run_of(root_id, source="generated"))
    answer = await acme.post(f"/v1/simulation-runs/{without['id']}/start")
    assert (answer.status_code, answer.json()["code"]) == (422, "profile_incomplete")
    flat = f"/v1/house-profiles/{house_ids[0]}"
    assert (await acme.get(flat)).status_code == 404
    assert (await acme.put(flat, json={"kwp": "0"})).status_code == 200
    body = run_of(root_id, GROSS, source="generated", profile=PROFILE, seed=7)
    first, second = [await completed(simulation, acme, body) for _ in range(2)]
    assert first["status"] == "COMPLETED", first["error"]
    found = await bills_of(acme, first)
    assert found == await bills_of(acme, second)
    assert {Decimal(bill["total_energy_exported_kwh"]) > 0 for bill in found} == {True, False}
    file = await acme.get(f"/v1/simulation-runs/{first['id']}/houses/{house_ids[1]}/profile.csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 35_040
    assert rows[0]["time"] == "2025-01-01T00:00:00+01:00"
    april = [row for row in rows if row["time"].startswith("2025-04")]
    [bill] = [bill for bill in found if bill["house_node_id"] == str(house_ids[1])]
    for column, total in (("import_kwh", "imported"), ("export_kwh", "exported")):
        assert sum(Decimal(row[column]) for row in april) == Decimal(
            bill[f"total_energy_{total}_kwh"]
        )
    for row in rows[:2000]:
        assert Decimal(row["net_kwh"]) == Decimal(row["load_kwh"]) - Decimal(row["solar_kwh"])
    archive = await acme.get(f"/v1/simulation-runs/{first['id']}/profiles.zip")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.testzip() is None
        by_python = {name: opened.read(name) for name in opened.namelist()}
    assert by_python == unpacked(archive.content)
    assert by_python.keys() == {f"{id_}/profile.csv" for id_ in house_ids}
    assert by_python[f"{house_ids[1]}/profile.csv"].decode() == file.text
    stored = await made(acme, run_of(root_id))
    refused = await acme.get(f"/v1/simulation-runs/{stored['id']}/profiles.zip")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_generated")


async def test_policies_of_their_own(simulation, clients):
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={5: "100"})
    new = {"name": "Net", "policy": NET}
    policy = (await acme.post("/v1/simulation-policies", json=new)).json()
    assert policy["tariff_document"]["components"][0]["kind"] == "capacity"
    path = f"/v1/simulation-policies/{policy['id']}"
    run = await completed(
        simulation, acme, run_of(house_id, policy_id=policy["id"]) | {"policy": None}
    )
    assert (run["policy"], run["policy_id"]) == (policy["policy"], policy["id"])
    [bill] = await bills_of(acme, run)
    assert bill["calculated_bill_amount"] == "3804.00"  # 600, 54 of tax, 3150
    changed = await acme.patch(path, json={"policy": GROSS}, headers={"If-Match": '"1"'})
    assert (changed.json()["version"], changed.json()["policy"]["type"]) == (2, "GROSS_METERING")
    put = await acme.put(path, json=new, headers={"If-Match": '"2"'})
    assert put.json()["policy"]["type"] == "SIMPLE_NET"
    listed = await acme.get("/v1/simulation-policies", params={"type": "TOU_RATE"})
    assert listed.json()["items"] == []
    assert (await acme.delete(path, headers={"If-Match": "*"})).status_code == 204
    assert (await acme.get(path)).status_code == 404
    assert (await acme.get(f"/v1/simulation-runs/{run['id']}")).json()["policy"] == run["policy"]


async def test_where_no_token_is_known_only_generated_readings_are_simulated(simulation, clients):
    acme = await clients("acme")
    simulation.services._token = None
    house_id, _ = await simulation.house()
    run = await completed(simulation, acme, run_of(house_id))
    assert (run["status"], run["error"]["code"]) == ("FAILED", "service_token_unset")


TARIFF = {"code": "home", "name": "Home", "currency": "EUR", "zone": "Europe/Berlin"}
DOCUMENT = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "fixed", "id": "base", "rate": "9.90", "per": "month"},
        {"kind": "tiered", "id": "energy",
         "tiers": [{"limit": "60", "rate": "0.20"}, {"rate": "0.30"}]},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}  # fmt: skip


async def test_a_tariff_bills_as_its_invoices_do(simulation, clients, tariff_client):
    """Of 100 kWh 60 are at 0.20 and 40 at 0.30: 24, with 9.90 and 19 % of tax 40.34 EUR. A draft is
    simulated as a published version is."""
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={5: "100"})
    tariff = (await tariff_client.post("/v1/tariffs", json=TARIFF)).json()
    draft = await tariff_client.post(
        f"/v1/tariffs/{tariff['id']}/versions",
        json={"effective_from": "2025-01-01", "document": DOCUMENT},
    )
    version = draft.json()
    policy = {"type": "TARIFF", "tariff_version_id": version["id"]}
    run = await completed(simulation, acme, run_of(house_id, policy))
    assert (run["status"], run["error"]) == ("COMPLETED", None)
    [bill] = await bills_of(acme, run)
    imported = np.zeros(720, np.int64)
    imported[5] = 100_000
    usage = Usage(bills.ZONE, APRIL, 60, {"import": imported}, Decimal(15))
    [invoice] = rate(tariff_version(UUID(version["id"]), DOCUMENT), [usage])
    assert (bill["calculated_bill_amount"], bill["currency"]) == (str(invoice.total), "EUR")
    assert bill["calculated_bill_amount"] == "40.34"
    assert [Decimal(line["amount"]) for line in bill["bill_details"]["lines"]] == [
        line.amount for line in invoice.lines
    ]
    await tariff_client.post(f"/v1/tariffs/{tariff['id']}/versions/{version['number']}/publish")
    published = await completed(simulation, acme, run_of(house_id, policy))
    assert await bills_of(acme, published) == [bill]
    unknown = await made(acme, run_of(house_id, policy | {"tariff_version_id": str(uuid4())}))
    answer = await acme.post(f"/v1/simulation-runs/{unknown['id']}/start")
    assert (answer.status_code, answer.json()["code"]) == (404, "version_unknown")
    other = await clients("other")
    foreign = await made(other, run_of(house_id, policy))
    answer = await other.post(f"/v1/simulation-runs/{foreign['id']}/start")
    assert answer.json()["code"] == "version_unknown"


async def test_while_ingest_is_away_a_chunk_is_tried_again(simulation, clients):
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={5: "100"})
    run = await made(acme, run_of(house_id))
    await acme.post(f"/v1/simulation-runs/{run['id']}/start")
    [chunk] = await simulation.requested()
    ingest = simulation.services._clients["ingest"]
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as nobody:
        simulation.services._clients["ingest"] = nobody
        with pytest.raises(Transient):
            await simulation.deliver(chunk, kind="chunks")
    assert await simulation.rows("SELECT 1 FROM run_chunk") == []
    simulation.services._clients["ingest"] = ingest
    await simulation.deliver(chunk, kind="chunks")
    await simulation.end_due()
    assert len(await bills_of(acme, run)) == 1


class Pieces(httpx.AsyncBaseTransport):
    """Ingest behind a slow line: its answer comes in pieces, each of which must move the heart."""

    def __init__(self, ingest, heartbeat):
        self.ingest, self.heartbeat = ingest, heartbeat
        self.moved = []

    async def handle_async_request(self, request):
        answer = await self.ingest.handle_async_request(request)
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=self.slowly(await answer.aread())
        )

    def slowly(self, content):
        transport = self

        class Slowly(httpx.AsyncByteStream):
            async def __aiter__(self):
                for first in range(0, len(content), 1_000):
                    transport.heartbeat.beaten_s = None
                    yield content[first : first + 1_000]
                    transport.moved.append(transport.heartbeat.beaten_s is not None)

        return Slowly()


async def test_a_chunk_that_takes_long_says_that_it_gets_on(simulation, clients):
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={5: "100"})
    run = await made(acme, run_of(house_id))
    await acme.post(f"/v1/simulation-runs/{run['id']}/start")
    [chunk] = await simulation.requested()
    heartbeat = simulation.parts.subscriptions[2].heartbeat
    ingest = simulation.services._clients["ingest"]
    line = Pieces(ingest._transport, heartbeat)
    async with httpx.AsyncClient(transport=line, base_url="http://ingest") as slow:
        simulation.services._clients["ingest"] = slow
        await simulation.deliver(chunk, kind="chunks")
    simulation.services._clients["ingest"] = ingest
    assert len(line.moved) > 5
    assert all(line.moved)
    assert heartbeat.beaten_s is not None
    await simulation.end_due()
    assert len(await bills_of(acme, run)) == 1
