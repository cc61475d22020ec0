"""Runs through the API: the worked bills, the life of a run, and what is refused."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from golden import bills
from integration.simulation.runs import APRIL, COMMON, GROSS, NET, bills_of, completed, made, run_of

CASES = bills.cases_of("bills.json")


def period(label, start, end, rate):
    return {"label": label, "start_time": start, "end_time": end,
            "import_retail_rate_per_kwh": rate, "export_wholesale_rate_per_kwh": "2"}  # fmt: skip


TOU = {
    "type": "TOU_RATE",
    "tou_periods": [
        period("peak", "17:00", "22:00", "8"),
        period("mid peak", "08:00", "17:00", "6"),
        period("off peak", "22:00", "08:00", "4"),
    ],
    **COMMON,
}


PERIODS = TOU["tou_periods"]


async def test_the_worked_bills(simulation, clients):
    """144, 6426.54, 4620, 6528 and 6180.20, of houses with those readings."""
    acme = await clients("acme")
    tou = {18: "120", 10: "150", 2: "230"}
    for case_id, policy, imported, total in (
        ("net-export-surplus-offset", NET | {"credit_policy": "offset_fixed"}, None, "144.00"),
        ("net-import", NET, None, "6426.54"),
        ("gross-import-below-export", GROSS, None, "4620.00"),
        ("gross-import-above-export", GROSS, None, "6528.00"),
        ("time-of-use", TOU, tou, "6180.20"),
    ):
        case = CASES[case_id]
        house_id, meter_id = await simulation.house()
        await simulation.read(
            meter_id,
            APRIL,
            import_=imported or {20: case["import_kwh"]},
            export_={12: case.get("export_kwh", "0")},
        )
        run = await completed(simulation, acme, run_of(house_id, policy))
        assert (run["status"], run["error"]) == ("COMPLETED", None), run
        assert run["progress"] == {"houses": 1, "houses_done": 1}
        assert run["tariff_document"]["components"]
        [bill] = await bills_of(acme, run)
        assert bill["calculated_bill_amount"] == total, case_id
        assert bill["house_node_id"] == str(house_id)
        assert Decimal(bill["bill_details"]["total"]) == Decimal(case["expect"]["total"])
        if "net_kwh" in case["expect"]:
            assert Decimal(bill["net_energy_balance_kwh"]) == Decimal(case["expect"]["net_kwh"])
    [peak, *_] = bill["bill_details"]["tou_periods"]
    assert (peak["label"], peak["import_charge"]) == ("peak", "960.00")


async def neighbourhood(simulation):
    """Two streets below a node: three houses and two; April's kWh imported are 10, 20, … 50."""
    root_id = await simulation.node()
    streets = [await simulation.node(parent_id=root_id) for _ in range(2)]
    for number in range(5):
        _, meter_id = await simulation.house(parent_id=streets[number >= 3])
        await simulation.read(meter_id, APRIL, import_={5: f"{10 * (number + 1)}"})
    return root_id, streets


async def test_a_neighbourhood_is_the_sum_of_its_streets(simulation, clients):
    acme = await clients("acme")
    root_id, streets = await neighbourhood(simulation)
    whole, *parts = [
        await completed(simulation, acme, run_of(node_id)) for node_id in (root_id, *streets)
    ]
    bills = await bills_of(acme, whole)
    of_streets = [bill for part in parts for bill in await bills_of(acme, part)]
    assert sorted(bills, key=lambda bill: bill["house_node_id"]) == sorted(
        of_streets, key=lambda bill: bill["house_node_id"]
    )
    totals = (await acme.get(f"/v1/simulation-runs/{whole['id']}/totals")).json()
    # 150 kWh at 6 with 9 % of tax are 981, five times 3150 fixed
    assert totals == {
        "status": "COMPLETED", "houses": 5, "total_energy_imported_kwh": "150.000",
        "total_energy_exported_kwh": "0.000", "net_energy_balance_kwh": "150.000",
        "total_amount": "16731.00", "least_amount": "3215.40", "greatest_amount": "3477.00",
        "currency": "XXX",
    }  # fmt: skip
    [event] = await simulation.rows(
        "SELECT convert_from(value, 'UTF8') AS value FROM outbox "
        "WHERE topic = 'simulation.completed.v1' AND value::bytea IS NOT NULL "
        "AND position(convert_to(:run_id, 'UTF8') IN value) > 0",
        run_id=whole["id"],
    )
    assert '"total_amount":"16731.00"' in event["value"]


async def test_bills_in_pages_by_amount_and_as_a_file(simulation, clients):
    acme = await clients("acme")
    root_id, _ = await neighbourhood(simulation)
    run = await completed(simulation, acme, run_of(root_id))
    path = f"/v1/simulation-runs/{run['id']}/house-bills"
    for sort, kwh in (
        ("-calculated_bill_amount", [50, 40, 30, 20, 10]),
        ("total_energy_imported_kwh", [10, 20, 30, 40, 50]),
        ("-net_energy_balance_kwh", [50, 40, 30, 20, 10]),
        ("house_name", None),
    ):
        seen, cursor = [], {}
        while cursor is not None:
            page = (await acme.get(path, params={"sort": sort, "limit": 2} | cursor)).json()
            seen += [Decimal(bill["total_energy_imported_kwh"]) for bill in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert sorted(seen) == [10, 20, 30, 40, 50], sort
        assert kwh is None or seen == kwh
    some = await bills_of(acme, run, amount_from="3300", amount_to="3420")
    assert {bill["calculated_bill_amount"] for bill in some} == {"3346.20", "3411.60"}
    assert await bills_of(acme, run, net_exporters="true") == []
    file = await acme.get(f"{path}.csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 5
    assert sum(Decimal(row["calculated_bill_amount"]) for row in rows) == Decimal("16731.00")
    assert {row["fixed_charge"] for row in rows} == {"3150.00"}
    [first] = [row for row in rows if row["total_energy_imported_kwh"] == "10.000"]
    alone = (await acme.get(f"{path}/{first['house_node_id']}")).json()
    assert alone["calculated_bill_amount"] == first["calculated_bill_amount"] == "3215.40"
    assert (await acme.get(f"{path}/{uuid4()}")).status_code == 404
    assert (await acme.get(path, params={"sort": "shoe_size"})).status_code == 422


async def test_the_life_of_a_run(simulation, clients):
    acme, other = await clients("acme"), await clients("other")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={5: "100"})
    run = await made(acme, run_of(house_id))
    path, tag = f"/v1/simulation-runs/{run['id']}", {"If-Match": '"1"'}
    assert (run["status"], run["version"]) == ("PENDING", 1)
    again = await acme.post("/v1/simulation-runs", json=run_of(house_id, id=run["id"]))
    assert (again.status_code, again.json()["id"]) == (200, run["id"])
    taken = await acme.post("/v1/simulation-runs", json=run_of(house_id, GROSS, id=run["id"]))
    assert (taken.status_code, taken.json()["code"]) == (409, "run_exists")
    assert (await other.get(path)).status_code == 404
    assert (await acme.patch(path, json={"name": "x"})).status_code == 428
    changed = await acme.patch(path, json={"name": "Spring"}, headers=tag)
    assert (changed.json()["name"], changed.json()["version"]) == ("Spring", 2)
    assert (await acme.patch(path, json={"seed": 1}, headers=tag)).status_code == 412
    replaced = await acme.put(path, json=run_of(house_id, GROSS), headers={"If-Match": '"2"'})
    assert replaced.json()["policy"]["type"] == "GROSS_METERING"
    started = await acme.post(f"{path}/start")
    assert (started.json()["status"], started.json()["progress"]["houses"]) == ("RUNNING", 1)
    assert await bills_of(acme, run) == []
    for refused in (
        await acme.post(f"{path}/start"),
        await acme.patch(path, json={"name": "late"}, headers={"If-Match": "*"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "run_not_pending")
    running = await acme.delete(path, headers={"If-Match": "*"})
    assert running.json()["code"] == "run_running"
    [chunk] = await simulation.requested()
    for _ in range(2):  # a message that comes twice changes nothing
        await simulation.deliver(chunk, kind="chunks")
    assert await bills_of(acme, run) == []
    assert (await acme.get(path)).json()["progress"] == {"houses": 1, "houses_done": 1}
    assert [await simulation.poll() for _ in range(2)] == [1, 0]
    await simulation.deliver(chunk, kind="chunks")
    [bill] = await bills_of(acme, run)
    assert Decimal(bill["bill_details"]["energy_charge"]) == 600
    ended = (await acme.get(path)).json()
    assert ended["status"] == "COMPLETED"
    assert ended["ended_at"]
    over = await acme.post(f"{path}/cancel")
    assert (over.status_code, over.json()["code"]) == (409, "run_over")
    copied = await acme.post(f"{path}/copy", json={"name": "once more"})
    assert copied.status_code == 201
    assert (copied.json()["status"], copied.json()["name"]) == ("PENDING", "once more")
    assert copied.json()["policy"] == ended["policy"]
    listed = (await acme.get("/v1/simulation-runs", params={"status": "PENDING"})).json()
    assert [item["id"] for item in listed["items"]] == [copied.json()["id"]]
    assert (await acme.delete(path, headers={"If-Match": "*"})).status_code == 204
    assert (await acme.get(path)).status_code == 404
    assert await simulation.rows("SELECT 1 FROM house_bill") == []


async def test_a_cancelled_run_leaves_nothing(simulation, clients):
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={5: "100"})
    run = await made(acme, run_of(house_id))
    path = f"/v1/simulation-runs/{run['id']}"
    await acme.post(f"{path}/start")
    [chunk] = await simulation.requested()
    await simulation.deliver(chunk, kind="chunks")
    cancelled = await acme.post(f"{path}/cancel")
    assert cancelled.json()["status"] == "CANCELLED"
    await simulation.deliver(chunk, kind="chunks")
    assert await simulation.poll() == 0
    for table in ("staged_house_bill", "run_chunk", "house_bill"):
        found = await simulation.rows(f"SELECT 1 FROM {table}")  # noqa: S608 - names of ours
        assert found == []


async def test_what_fails_a_run_is_said_and_leaves_no_bill(simulation, clients):
    acme = await clients("acme")
    root_id = await simulation.node()
    _, complete_id = await simulation.house(parent_id=root_id)
    await simulation.read(complete_id, APRIL, import_={5: "100"})
    await simulation.house(parent_id=root_id)  # a meter without readings
    run = await completed(simulation, acme, run_of(root_id))
    assert (run["status"], run["error"]["code"]) == ("FAILED", "values_missing")
    assert "lacks 720 of 720 intervals" in run["error"]["detail"]
    assert await bills_of(acme, run) == []
    zero = await completed(simulation, acme, run_of(root_id, missing="counts_as_zero"))
    amounts = {bill["calculated_bill_amount"] for bill in await bills_of(acme, zero)}
    assert amounts == {"3804.00", "3150.00"}
    bare_id, _ = await simulation.house(kw=None)
    bare = await completed(simulation, acme, run_of(bare_id, missing="counts_as_zero"))
    assert (bare["status"], bare["error"]["code"]) == ("FAILED", "connected_kw_missing")


async def test_a_run_of_which_nothing_is_done_fails(simulation, clients):
    acme = await clients("acme")
    house_id, _ = await simulation.house()
    run = await made(acme, run_of(house_id))
    await acme.post(f"/v1/simulation-runs/{run['id']}/start")
    assert await simulation.poll() == 0
    simulation.now += timedelta(seconds=simulation.settings.stalled_after_s + 1)
    assert await simulation.poll() == 1
    stalled = (await acme.get(f"/v1/simulation-runs/{run['id']}")).json()
    assert (stalled["status"], stalled["error"]["code"]) == ("FAILED", "run_stalled")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"policy": TOU | {"tou_periods": TOU["tou_periods"][:2]}}, "/policy/tou_periods"),
        ({"policy": TOU | {"tou_periods": [*PERIODS, period("x", "7:00", "8:00", "1")]}},
         "/policy/tou_periods/3/start_time"),
        ({"policy": TOU | {"tou_periods": [*PERIODS, period("x", "07:00", "09:00", "1")]}},
         "/policy/tou_periods/3/start_time"),
        ({"policy": NET | {"tax_rate_on_energy_charges": "9"}}, None),
        ({"policy": {"type": "FREE"}}, "/policy"),
        ({"policy": None}, None),
        ({"billing_cycle_month": 13}, "/billing_cycle_month"),
        ({"source": "invented"}, "/source"),
        ({"colour": "red"}, "/colour"),
    ],
)  # fmt: skip
async def test_runs_that_make_no_sense(clients, change, pointer):
    acme = await clients("acme")
    answer = await acme.post("/v1/simulation-runs", json=run_of(uuid4()) | change)
    assert answer.status_code == 422
    pointers = [(error.get("pointer") or "").removeprefix("#") for error in answer.json()["errors"]]
    assert pointer is None or pointer in pointers, pointers


async def test_a_node_that_is_not_there_and_one_without_houses(simulation, clients):
    acme = await clients("acme")
    for node_id, code in ((uuid4(), "unknown_node"), (await simulation.node(), "no_houses")):
        run = await made(acme, run_of(node_id))
        answer = await acme.post(f"/v1/simulation-runs/{run['id']}/start")
        assert (answer.status_code, answer.json()["code"]) == (422, code)
