"""What the tests of runs share: policies, and runs through the API."""

from datetime import date

from gridtally.kernel.periods import month_of

APRIL = month_of(date(2025, 4, 1))
COMMON = {"fixed_charge_tariff_rate_per_kw": "210", "tax_rate_on_energy_charges": "0.09"}
NET = {"type": "SIMPLE_NET", "retail_price_per_kwh": "6", **COMMON}
GROSS = {
    "type": "GROSS_METERING",
    "import_retail_price_per_kwh": "6",
    "export_wholesale_price_per_kwh": "3",
    **COMMON,
}


def run_of(root_id, policy=NET, **more):
    return {"name": "April", "billing_cycle_month": 4, "billing_cycle_year": 2025,
            "topology_root_node_id": str(root_id), "policy": policy} | more  # fmt: skip


async def made(client, body):
    answer = await client.post("/v1/simulation-runs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def completed(simulation, client, body):
    """The run after its work is done."""
    run = await made(client, body)
    answer = await client.post(f"/v1/simulation-runs/{run['id']}/start")
    assert answer.status_code == 200, answer.text
    await simulation.work()
    return (await client.get(f"/v1/simulation-runs/{run['id']}")).json()


async def bills_of(client, run, **params):
    answer = await client.get(f"/v1/simulation-runs/{run['id']}/house-bills", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]
