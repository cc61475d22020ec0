"""Comparisons through the API: results, who gains and loses, files, repetition, refusals."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from gridtally.kernel.periods import midnight_utc, month_of
from integration.simulation.conftest import ZONE
from integration.simulation.runs import APRIL, NET, made

MAY = month_of(date(2025, 5, 1))
FLAT = {"type": "SIMPLE_NET", "retail_price_per_kwh": "0.30"}
TOU = {
    "type": "TOU_RATE",
    "tou_periods": [
        {"label": label, "start_time": start, "end_time": end, "import_retail_rate_per_kwh": rate}
        for label, start, end, rate in (
            ("peak", "17:00", "21:00", "0.60"),
            ("rest", "21:00", "17:00", "0.20"),
        )
    ],
}
SHARE = {
    "kind": "fixed_share",
    "share": "0.1",
    "from_times": {"start_time": "17:00", "end_time": "21:00"},
    "to_times": {"start_time": "00:00", "end_time": "04:00"},
}
PATH = "/v1/simulation-comparisons"
MONTHS = {"billing_cycle_month": 4, "billing_cycle_year": 2025, "months": 2}


def comparison_of(root_id, *, scenarios=(("today", FLAT), ("draft", TOU)), **more):
    named = [{"label": label, "policy": policy} for label, policy in scenarios]
    body = {"name": "Spring", "topology_root_node_id": str(root_id), "scenarios": named}
    return body | MONTHS | more


async def created(client, body):
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ended(simulation, client, comparison):
    await simulation.work()
    return (await client.get(f"{PATH}/{comparison['id']}")).json()


async def compared(simulation, client, body):
    """The comparison after its work is done."""
    comparison = await created(client, body)
    answer = await client.post(f"{PATH}/{comparison['id']}/start")
    assert answer.status_code == 200, answer.text
    return await ended(simulation, client, comparison)


async def results_of(client, comparison, **params):
    answer = await client.get(f"{PATH}/{comparison['id']}/results", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def street(simulation):
    """Three houses, in April and in May alike: 100 kWh at 18:00 and 50 at 02:00; 10 and 90; 60 at
    18:00 and 180 at 02:00, which a mean of 0.30 costs by either tariff."""
    root_id = await simulation.node()
    houses = []
    for evening, night in (("100", "50"), ("10", "90"), ("60", "180")):
        house_id, meter_id = await simulation.house(parent_id=root_id)
        for month in (APRIL, MAY):
            await simulation.read(meter_id, month, import_={18: evening, 2: night})
        houses.append((str(house_id), meter_id))
    return root_id, houses


async def test_who_gains_and_who_loses(simulation, clients):
    """At 0.30 the houses pay 45, 30 and 72 a month, by time of use 70, 24 and 72: in two months
    one loses 50, one gains 12, and one pays the same. With a tenth of the evening at night 10 kWh
    cost 0.40 less: 66, 23.60 and 69.60."""
    acme = await clients("acme")
    root_id, houses = await street(simulation)
    body = comparison_of(root_id, shift=SHARE)
    comparison = await compared(simulation, acme, body)
    assert (comparison["status"], comparison["error"]) == ("COMPLETED", None), comparison
    assert comparison["progress"] == {"houses": 3, "houses_done": 3}
    assert comparison["shift"] == SHARE
    assert all(scenario["tariff"]["document_sha256"] for scenario in comparison["scenarios"])
    results = await results_of(acme, comparison, bins=4)
    assert (results["currency"], results["repeated"]) == ("XXX", None)
    today, draft = results["scenarios"]
    assert (today["label"], today["revenue"], today["difference"]) == ("today", "294.00", "0.00")
    assert (draft["revenue"], draft["difference"]) == ("332.00", "38.00")
    assert draft["winners"] == {"houses": 1, "difference": "-12.00"}
    assert draft["losers"] == {"houses": 1, "difference": "50.00"}
    assert (draft["unchanged"], today["unchanged"], today["shifted"]) == (1, 3, None)
    [gains], [loses] = draft["most_gaining"], draft["most_losing"]
    assert (gains["house_node_id"], gains["amount"]) == (houses[1][0], "48.00")
    assert (loses["house_node_id"], loses["difference"]) == (houses[0][0], "50.00")
    assert [tenth["houses"] for tenth in draft["deciles"]] == [1, 1, 1]
    assert [tenth["difference"] for tenth in draft["deciles"]] == ["-12.00", "0.00", "50.00"]
    # from −12 to 50 in steps of 15.5: −12 and 0; nothing; nothing; 50
    assert [part["houses"] for part in draft["histogram"]] == [2, 0, 0, 1]
    assert Decimal(draft["histogram"][0]["to_difference"]) == Decimal("3.5")
    assert draft["by_month"] == [
        {"month_on": "2025-04-01", "amount": "166.00"},
        {"month_on": "2025-05-01", "amount": "166.00"},
    ]
    [energy] = [part for part in draft["by_component"] if part["component_id"] == "energy"]
    assert (energy["kind"], energy["amount"]) == ("energy", "332.00")
    # together 320 kWh at 02:00 on 1 April, the first of two such hours; 490 kWh twice in 1464 hours
    assert (draft["peak_kw"], draft["peak_at"]) == ("320.000", "2025-04-01T00:00:00Z")
    assert draft["load_factor"] == "0.0021"
    moved = draft["shifted"]
    assert (moved["revenue"], moved["difference"]) == ("318.40", "24.40")
    assert moved["winners"] == {"houses": 2, "difference": "-17.60"}
    assert moved["total_energy_imported_kwh"] == draft["total_energy_imported_kwh"] == "980.000"


async def test_houses_in_pages_and_files(simulation, clients):
    acme = await clients("acme")
    root_id, houses = await street(simulation)
    comparison = await compared(simulation, acme, comparison_of(root_id, shift=SHARE))
    path = f"{PATH}/{comparison['id']}"
    for sort, expected in (
        ("difference", ["-12.00", "0.00", "50.00"]),
        ("-difference", ["50.00", "0.00", "-12.00"]),
        ("-peak_kw", ["0.00", "50.00", "-12.00"]),
        ("shifted_difference", ["-12.00", "0.00", "50.00"]),
    ):
        seen, cursor = [], {}
        while cursor is not None:
            answer = await acme.get(f"{path}/houses", params={"sort": sort, "limit": 2} | cursor)
            page = answer.json()
            seen += [house["difference"] for house in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert seen == expected, sort
    losers = (await acme.get(f"{path}/houses", params={"outcome": "loser"})).json()["items"]
    assert [house["house_node_id"] for house in losers] == [houses[0][0]]
    [own] = (
        await acme.get(f"{path}/houses", params={"house_node_id": houses[2][0], "scenario": 0})
    ).json()["items"]
    assert (own["amount"], own["shifted_amount"], own["peak_kw"]) == ("144.00", None, "180.000")
    assert own["load_factor"] == "0.0018"
    file = await acme.get(f"{path}/houses/export")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 6
    table = pq.read_table(
        io.BytesIO((await acme.get(f"{path}/houses/export", params={"format": "parquet"})).content)
    )
    assert sum(Decimal(row["difference"]) for row in rows) == Decimal("38.00")
    assert sum(table.column("difference").to_pylist()) == Decimal("38.00")
    assert sorted(filter(None, table.column("shifted_amount").to_pylist())) == [
        Decimal("47.20"), Decimal("132.00"), Decimal("139.20"),
    ]  # fmt: skip
    revenue = list(csv.DictReader(io.StringIO((await acme.get(f"{path}/revenue/export")).text)))
    assert sum(
        Decimal(row["amount"])
        for row in revenue
        if (row["scenario"], row["is_shifted"]) == ("1", "false")
    ) == Decimal("332.00")
    parquet = await acme.get(f"{path}/revenue/export", params={"format": "parquet"})
    assert pq.read_table(io.BytesIO(parquet.content)).num_rows == len(revenue)
    refused = await acme.get(f"{path}/houses", params={"cursor": "x"})
    assert refused.status_code == 422


async def test_a_repetition_says_which_readings_have_changed(simulation, clients):
    """Repeated at once it is the same; after a correction it says which house's readings are other
    ones, and as of then it is the same again."""
    acme = await clients("acme")
    root_id, houses = await street(simulation)
    simulation.ingest.later(hours=1)
    simulation.now = simulation.ingest.now
    first = await compared(simulation, acme, comparison_of(root_id))
    before = await results_of(acme, first)
    repeat = f"{PATH}/{first['id']}/repeat"
    again = await ended(simulation, acme, (await acme.post(repeat)).json())
    assert (again["status"], again["repeat_of"]) == ("COMPLETED", first["id"])
    unchanged = await results_of(acme, again)
    assert unchanged["repeated"] == {
        "repeat_of": first["id"], "houses_changed": 0, "changed_house_ids": [],
    }  # fmt: skip
    assert unchanged["scenarios"] == before["scenarios"]
    assert unchanged["readings_sha256"] == before["readings_sha256"]
    simulation.ingest.later(hours=1)
    simulation.now = simulation.ingest.now
    corrected_at = midnight_utc(ZONE, APRIL.start_on) + timedelta(hours=18)
    await simulation.ingest.deliver(
        simulation.ingest.block(houses[0][1], corrected_at, [200_000], minutes=60)
    )
    later = await ended(simulation, acme, (await acme.post(repeat)).json())
    changed = await results_of(acme, later)
    assert changed["repeated"]["changed_house_ids"] == [houses[0][0]]
    assert changed["readings_sha256"] != before["readings_sha256"]
    # 100 kWh more in the evening: 30 by the flat price, 60 by time of use
    assert changed["scenarios"][1]["difference"] == "68.00"
    then = await acme.post(repeat, json={"readings": "as_then", "name": "As then"})
    assert then.json()["name"] == "As then"
    assert datetime.fromisoformat(then.json()["as_known_at"]) == datetime.fromisoformat(
        first["started_at"]
    )
    as_then = await results_of(acme, await ended(simulation, acme, then.json()))
    assert as_then["scenarios"] == before["scenarios"]
    assert as_then["repeated"]["houses_changed"] == 0
    listed = (await acme.get(PATH, params={"repeat_of": first["id"]})).json()["items"]
    assert len(listed) == 3


async def test_a_draft_against_todays_tariff(simulation, clients, tariff_client):
    """The version of the catalogue and its document are stored; a repetition uses them, also after
    the draft was changed."""
    acme = await clients("acme")
    root_id, _ = await street(simulation)
    terms = {"code": "home", "name": "Home", "currency": "EUR", "zone": ZONE}
    tariff = (await tariff_client.post("/v1/tariffs", json=terms)).json()

    def document(rate):
        return {"currency": "EUR", "zone": ZONE,
                "components": [{"kind": "energy", "id": "energy", "rate": rate}]}  # fmt: skip

    versions = []
    for start_on, rate in (("2025-01-01", "0.30"), ("2026-01-01", "0.33")):
        new = {"effective_from": start_on, "document": document(rate)}
        path = f"/v1/tariffs/{tariff['id']}/versions"
        versions.append((await tariff_client.post(path, json=new)).json())
    await tariff_client.post(f"/v1/tariffs/{tariff['id']}/versions/1/publish")
    scenarios = [
        (name, {"type": "TARIFF", "tariff_version_id": version["id"]})
        for name, version in zip(("today", "draft"), versions, strict=True)
    ]
    comparison = await compared(simulation, acme, comparison_of(root_id, scenarios=scenarios))
    assert comparison["status"] == "COMPLETED", comparison
    used = [scenario["tariff"]["version"] for scenario in comparison["scenarios"]]
    assert [version["status"] for version in used] == ["published", "draft"]
    assert [version["number"] for version in used] == [1, 2]
    results = await results_of(acme, comparison)
    # 980 kWh at 0.03 more
    assert [(item["revenue"], item["difference"]) for item in results["scenarios"]] == [
        ("294.00", "0.00"), ("323.40", "29.40"),
    ]  # fmt: skip
    draft = versions[1]
    changed = await tariff_client.put(
        f"/v1/tariffs/{tariff['id']}/versions/2",
        json={"effective_from": "2026-01-01", "document": document("0.90")},
        headers={"If-Match": f'"{draft["version"]}"'},
    )
    assert changed.status_code == 200, changed.text
    answer = await acme.post(f"{PATH}/{comparison['id']}/repeat")
    again = await ended(simulation, acme, answer.json())
    assert (await results_of(acme, again))["scenarios"] == results["scenarios"]
    mixed = await created(acme, comparison_of(root_id, scenarios=[("net", NET), scenarios[1]]))
    refused = await acme.post(f"{PATH}/{mixed['id']}/start")
    assert (refused.status_code, refused.json()["code"]) == (422, "compare_currencies")


async def test_the_life_of_a_comparison(simulation, clients):
    acme, other = await clients("acme"), await clients("other")
    root_id, _ = await street(simulation)
    comparison = await created(acme, comparison_of(root_id))
    path, tag = f"{PATH}/{comparison['id']}", {"If-Match": '"1"'}
    same = comparison_of(root_id, id=comparison["id"])
    assert (await acme.post(PATH, json=same)).status_code == 200
    taken = await acme.post(PATH, json=same | {"months": 3})
    assert (taken.status_code, taken.json()["code"]) == (409, "run_exists")
    assert (await other.get(path)).json()["code"] == "comparison_unknown"
    assert (await acme.get(f"/v1/simulation-runs/{comparison['id']}")).status_code == 404
    assert (await acme.get("/v1/simulation-runs")).json()["items"] == []
    run = await made(acme, {"name": "r", "billing_cycle_month": 4, "billing_cycle_year": 2025,
                            "topology_root_node_id": str(root_id), "policy": NET})  # fmt: skip
    assert (await acme.get(f"{PATH}/{run['id']}")).status_code == 404
    changed = await acme.put(path, json=comparison_of(root_id, shift=SHARE), headers=tag)
    assert (changed.json()["version"], changed.json()["shift"]["share"]) == (2, "0.1")
    assert (await results_of(acme, comparison))["scenarios"] == []
    refused = await acme.post(f"{path}/repeat")
    assert (refused.status_code, refused.json()["code"]) == (409, "comparison_not_completed")
    started = await acme.post(f"{path}/start")
    assert started.json()["status"] == "RUNNING"
    assert (await acme.post(f"{path}/start")).json()["code"] == "run_not_pending"
    [chunk] = await simulation.requested()
    for _ in range(2):  # a message that comes twice changes nothing
        await simulation.deliver(chunk, kind="chunks")
    assert (await results_of(acme, comparison))["status"] == "RUNNING"
    assert (await acme.get(f"{path}/houses")).json()["items"] == []
    assert (await acme.get(f"{path}/houses/export")).status_code == 409
    await simulation.end_due()
    await simulation.deliver(chunk, kind="chunks")
    assert (await results_of(acme, comparison))["scenarios"][1]["shifted"]["revenue"] == "318.40"
    [event] = await simulation.rows(
        "SELECT convert_from(value, 'UTF8') AS value FROM outbox "
        "WHERE topic = 'simulation.completed.v1'"
    )
    said = json.loads(event["value"])
    assert (said["start_on"], said["end_on"], said["total_amount"]) == (
        "2025-04-01", "2025-06-01", None,
    )  # fmt: skip
    assert (await acme.delete(path, headers={"If-Match": "*"})).status_code == 204
    for table in ("compared_house", "scenario_revenue", "scenario_peak", "staged_load"):
        left = await simulation.rows(f"SELECT 1 FROM {table}")  # noqa: S608 - names of ours
        assert left == []


async def test_a_comparison_that_fails_or_is_cancelled_leaves_nothing(simulation, clients):
    acme = await clients("acme")
    root_id, houses = await street(simulation)
    failed = await compared(simulation, acme, comparison_of(root_id, months=3))
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "values_missing")
    comparison = await created(acme, comparison_of(houses[0][0]))
    await acme.post(f"{PATH}/{comparison['id']}/start")
    [chunk] = await simulation.requested()
    await simulation.deliver(chunk, kind="chunks")
    cancelled = await acme.post(f"{PATH}/{comparison['id']}/cancel")
    assert cancelled.json()["status"] == "CANCELLED"
    await simulation.deliver(chunk, kind="chunks")
    for table in ("compared_house", "staged_revenue", "staged_load", "run_chunk"):
        left = await simulation.rows(f"SELECT 1 FROM {table}")  # noqa: S608 - names of ours
        assert left == [], table


async def test_generated_readings_are_compared_too(simulation, clients):
    acme = await clients("acme")
    root_id = await simulation.node()
    for _ in range(9):
        await simulation.node(kw="15", parent_id=root_id)
    profile = {"latitude": "52.52", "longitude": "13.40", "tilt_degrees": "30",
               "azimuth_degrees": "180", "kwp": "5", "annual_kwh": "3500"}  # fmt: skip
    bands = [{"label": "evening", "start_time": "17:00", "end_time": "21:00", "elasticity": "-0.2"}]
    shift = {"kind": "elasticity", "bands": bands}
    body = comparison_of(root_id, source="generated", profile=profile, seed=3, months=24)
    body |= {"scenarios": [*body["scenarios"], {"label": "again", "policy": TOU}], "shift": shift}
    comparison = await created(acme, body)
    await acme.post(f"{PATH}/{comparison['id']}/start")
    assert (
        len(await simulation.rows("SELECT 1 FROM outbox WHERE topic LIKE 'simulation.chunk%'")) == 1
    )
    comparison = await ended(simulation, acme, comparison)
    assert (comparison["status"], comparison["shift"]) == ("COMPLETED", shift)
    results = await results_of(acme, comparison)
    today, draft, again = results["scenarios"]
    assert len(today["by_month"]) == 24
    assert (draft["revenue"], draft["shifted"]["revenue"]) == (
        again["revenue"], again["shifted"]["revenue"],
    )  # fmt: skip
    assert Decimal(draft["shifted"]["total_energy_imported_kwh"]) < Decimal(
        draft["total_energy_imported_kwh"]
    )
    assert sum(Decimal(month["amount"]) for month in draft["by_month"]) == Decimal(draft["revenue"])
    assert sum(Decimal(part["amount"]) for part in draft["by_component"]) == Decimal(
        draft["revenue"]
    )


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"scenarios": [{"label": "one", "policy": FLAT}]}, "/scenarios"),
        ({"scenarios": [{"label": "a", "policy": FLAT}, {"label": "a", "policy": TOU}]}, None),
        ({"scenarios": [{"label": "a", "policy": FLAT}, {"label": "b"}]}, "/scenarios/1"),
        ({"scenarios": [{"label": "a", "policy": FLAT},
                        {"label": "b", "policy": TOU | {"tou_periods": TOU["tou_periods"][:1]}}]},
         "/scenarios/1/policy/tou_periods"),
        ({"shift": SHARE | {"to_times": SHARE["from_times"]}}, "/shift/to_times"),
        ({"shift": SHARE | {"share": "1.5"}}, "/shift/share"),
        ({"shift": {"kind": "hope"}}, "/shift"),
        ({"months": 25}, "/months"),
        ({"months": 0}, "/months"),
    ],
)  # fmt: skip
async def test_comparisons_that_make_no_sense(clients, change, pointer):
    acme = await clients("acme")
    answer = await acme.post(PATH, json=comparison_of(uuid4()) | change)
    assert answer.status_code == 422
    pointers = [(error.get("pointer") or "").removeprefix("#") for error in answer.json()["errors"]]
    assert pointer is None or pointer in pointers, pointers
