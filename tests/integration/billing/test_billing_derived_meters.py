"""Bills of derived meters: what they were the sum of, in which versions, is in their evidence, in
their explanation and their proof, and whoever changes it is found."""

import json
from uuid import uuid4

import pytest

from gridtally.contracts.metering import Series, SummedMeter
from gridtally.kernel.chain import Tampered
from gridtally.rating.proof.contents import digest_of
from gridtally.rating.proof.verification import verify_invoice

TARIFF = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "rounding": {"mode": "half_up", "decimals": 2, "per": "invoice"},
    "components": [{"kind": "energy", "id": "energy", "rate": "0.30"}],
}


@pytest.fixture
async def home(world, make):
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id, TARIFF))
    await world.register(make.registered(meter_id, flows=(), meter_type="derived"))
    return await world.agree(tariff_id=tariff_id, meter_id=meter_id, start_on=make.MARCH.start_on)


def summed(make, home, *parts, kwh=1, revision=1):
    """March in hours of so many kWh, of parts by factor, energy and version."""
    hours = make.MARCH.slots(make.BERLIN, 60)
    series = Series(
        flow="import",
        minutes=60,
        values=[1000 * kwh] * hours,
        quality="E" + "A" * (hours - 1),
        summed=[
            SummedMeter(
                meter_id=meter_id, flow="import", factor=factor, start_on=make.MARCH.start_on,
                end_on=make.MARCH.end_on, energy_wh=energy_wh, version=version,
            )
            for meter_id, factor, energy_wh, version in parts
        ],
    )  # fmt: skip
    closed = make.closed(home, period=make.MARCH, revision=revision)
    return closed.model_copy(update={"series": [series], "digest": digest_of([series])})


async def test_an_invoice_names_the_parts_in_their_versions(world, make, home, clients):
    main, sub = uuid4(), uuid4()
    await world.close(summed(make, home, (main, 1, 900_000, 31), (sub, -1, 157_000, 33)))
    acme = await clients(world.tenant, "billing:read")
    [invoice] = (await acme.get("/v1/invoices")).json()["items"]
    assert invoice["total"] == "222.90"  # 743 kWh
    path = f"/v1/invoices/{invoice['id']}"
    detail = (await acme.get(path)).json()
    assert detail["quality"]["estimated_intervals"] == 1
    parts = [
        {"meter_id": str(meter_id), "flow": "import", "factor": factor, "start_on": "2025-03-01",
         "end_on": "2025-04-01", "energy_wh": energy_wh, "version": version}
        for meter_id, factor, energy_wh, version in (
            (main, 1, 900_000, 31), (sub, -1, 157_000, 33),
        )
    ]  # fmt: skip
    assert detail["evidence"]["summed"] == parts
    explanation = (await acme.get(f"{path}/explanation")).json()
    assert explanation["summed"] == parts
    [line] = explanation["lines"]
    assert (line["made_of"], len(line["intervals"])) == ("intervals", 743)
    assert (await acme.get(f"{path}/recalculation")).json()["agrees"]
    proof = json.loads((await acme.get(f"{path}/proof")).content)
    assert proof["root"] == invoice["proof_root"]
    verify_invoice(proof)
    for name, value in (("version", 32), ("energy_wh", 1), ("factor", 2), ("meter_id", str(sub))):
        changed = json.loads(json.dumps(proof))
        changed["series"][0]["summed"][0][name] = value
        with pytest.raises(Tampered, match="/series/0"):
            verify_invoice(changed)


async def test_a_correction_of_a_part_credits_and_issues_again(world, make, home, clients):
    main = uuid4()
    await world.close(summed(make, home, (main, 1, 743_000, 31)))
    await world.close(summed(make, home, (main, 1, 1_486_000, 32), kwh=2, revision=2))
    acme = await clients(world.tenant, "billing:read")
    invoices = (await acme.get("/v1/invoices")).json()["items"]
    assert {(invoice["state"], invoice["total"]) for invoice in invoices} == {
        ("void", "222.90"), ("issued", "445.80"),
    }  # fmt: skip
    [live] = [invoice for invoice in invoices if invoice["state"] == "issued"]
    detail = (await acme.get(f"/v1/invoices/{live['id']}")).json()
    assert [part["version"] for part in detail["evidence"]["summed"]] == [32]
    # the evidence of a derived meter is closed again as it came, when a bill before it changes
    evidence = (await acme.get(f"/v1/invoices/{live['id']}/evidence")).json()
    assert evidence["series"][0]["summed"][0]["version"] == 32
