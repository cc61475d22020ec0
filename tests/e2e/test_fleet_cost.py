"""A municipality's device, from its register to what the city's fleet costs."""

from uuid import uuid4

from doubles.billing.fleet import DOMESTIC, ZONE
from e2e.house import until


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
