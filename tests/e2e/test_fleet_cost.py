"""A municipality's device, from its register to what the city's fleet costs."""

from pathlib import Path
from uuid import uuid4

from doubles.billing.fleet import DOMESTIC, ZONE
from e2e.guides import curl_requests
from e2e.house import until
from e2e.retailer import empty_retailer
from gridtally.cli.errors import CommandError

DOCS = Path(__file__).parents[2] / "docs"


async def test_a_municipalitys_device_costs_161(api):
    """Totals of 2000, 2020 and 2050 kWh at 10:00, 10:20 and 10:40 UTC, and 6 kWh from 08:00 to
    09:00, are 56 kWh: 140.00 at 2.50, 21.00 of tax, 161.00. The tariff is the province's."""
    customer_id, site_id = str(uuid4()), str(uuid4())
    province, city = (
        {"id": str(uuid4()), "code": code, "name": name, "zone": ZONE, "kind": kind}
        for code, name, kind in (
            ("wc", "Western Cape", "grid_area"),
            ("stb", "Stellenbosch", "municipality"),
        )
    )
    await api.post("tariff", "/v1/regions", province)
    await api.post("tariff", "/v1/regions", city | {"parent_id": province["id"]})
    tariff = await api.post(
        "tariff",
        "/v1/tariffs",
        {
            "code": "domestic-tou",
            "name": "Domestic TOU",
            "currency": "ZAR",
            "zone": ZONE,
            "region_id": province["id"],
        },
    )
    versions = f"/v1/tariffs/{tariff['id']}/versions"
    version = await api.post(
        "tariff", versions, {"effective_from": "2025-01-01", "document": DOMESTIC}
    )
    await api.post("tariff", f"{versions}/{version['number']}/publish")
    await api.post(
        "billing", "/v1/customers", {"id": customer_id, "name": "City", "currency": "ZAR"}
    )
    site = {"id": site_id, "name": "Pumping station", "zone": ZONE, "region_id": city["id"]}
    await api.post("ledger", "/v1/properties", site | {"customer_id": customer_id})
    channel = {"flow": "import", "minutes": 10, "interval_wh_max": 100_000}
    device = await api.post(
        "ledger",
        f"/v1/properties/{site_id}/meters",
        {"meter_type": "device", "name": "Pump", "channels": [channel]},
    )
    for value, at in (
        ("1994", "08:00"),
        ("2000", "09:00"),
        ("2000", "10:00"),
        ("2020", "10:20"),
        ("2050", "10:40"),
    ):
        reading = {"value": value, "read_at": f"2025-03-12T{at}:00Z", "flow": "import"}
        await api.post("ledger", f"/v1/meters/{device['id']}/readings", reading)

    async def cost():
        path = f"/v1/fleet/customers/{customer_id}/cost"
        window = {"from": "2025-03-12T00:00:00Z", "to": "2025-03-13T00:00:00Z"}
        answer = await api.get("billing", path, **window)
        names = ("total_kwh", "total_base_cost", "total_vat_amount", "total_cost")
        devices = [(own["device_name"], own["municipality_name"]) for own in answer["per_device"]]
        return [answer[name] for name in names], devices

    await until(cost, (["56.000", "140.00", "21.00", "161.00"], [("Pump", "Stellenbosch")]))
    await ask_what_documents_ask(api, customer_id, site_id, device["id"], tariff["id"], version)


async def ask_what_documents_ask(api, customer_id, site_id, device_id, tariff_id, version):
    """Every request that a document shows as a command is taken, of this customer."""
    agreement = {
        "customer_id": customer_id, "meter_id": device_id, "tariff_id": tariff_id,
        "start_on": "2025-03-01",
    }  # fmt: skip
    agreement = await api.post("billing", "/v1/agreements", agreement)
    channel = {"flow": "import", "minutes": 15, "interval_wh_max": 100_000}
    meter = await api.post(
        "ledger",
        f"/v1/properties/{site_id}/meters",
        {"meter_type": "device", "name": "Lights", "channels": [channel]},
    )
    names = {
        "CUSTOMER": customer_id, "AGREEMENT": agreement["id"], "METER": meter["id"],
        "VERSION": version["id"],
    }  # fmt: skip

    async def is_registered():
        try:
            return bool(await api.get("ingest", f"/v1/meters/{meter['id']}"))
        except CommandError:
            return False

    await until(is_registered, expected=True)
    answers = {}
    for name in ("cost", "alerts", "validation", "webhooks"):
        for method, service, path, query, body in curl_requests(DOCS / f"{name}.md", names):
            how = {"query": query, "json_body": body}
            try:
                answers[path] = await api.call(service, method, path, **how)
            except CommandError as refused:
                # the agreement is new, and its first period is the one of today
                if "nothing was recorded" not in str(refused):
                    raise
    [cost] = [own for path, own in answers.items() if "/fleet/" in path]
    assert (cost["total_kwh"], cost["total_cost"]) == ("56.000", "161.00")
    assert answers["/v1/bills/calculate-and-store"]["breakdown"]
    assert answers["/v1/webhook-endpoints"]["types"] == [
        "invoice.issued.v1", "payment.recorded.v1",
    ]  # fmt: skip


async def test_fleet_cost_is_the_bill_through_a_change_of_price_and_a_correction(stack_servers):
    """A kWh an hour in March of 743 hours, 0.20 until the 15th and 0.30 from then on: 67.20 and
    122.10. That the register showed 436 then, and not 336, moves 100 kWh to the lower price."""
    async with empty_retailer(stack_servers) as retailer:
        tariff, meter = await retailer.tariff(rate("0.20")), await retailer.meter()
        await retailer.version(tariff, rate("0.30"), since="2025-03-15")
        ada = await retailer.customer("Ada")
        await retailer.agree(ada, meter, tariff, "2025-03-01")
        await retailer.read(meter, "0", "2025-03-01T00:00:00+01:00")
        changed_at = "2025-03-15T00:00:00+01:00"
        changed = await retailer.read(meter, "336", changed_at)
        await retailer.read(meter, "743", "2025-04-01T00:00:00+02:00")

        async def costs():
            path = f"/v1/fleet/customers/{ada}/cost"
            window = {"from": "2025-02-28T23:00:00Z", "to": "2025-03-31T22:00:00Z"}
            answer = await retailer.api.get("billing", path, **window)
            return answer["total_kwh"], answer["total_cost"], await retailer.bills(ada)

        march = ("2025-03-01", "2025-04-01")
        await until(costs, ("743.000", "189.30", [(*march, "189.30")]))
        body = {"value": "436", "read_at": changed_at}
        await retailer.api.call("ledger", "PUT", f"/v1/readings/{changed}", json_body=body)
        await until(costs, ("743.000", "179.30", [(*march, "179.30")]))


def rate(per_kwh):
    return {"kind": "energy", "id": "energy", "rate": per_kwh}
