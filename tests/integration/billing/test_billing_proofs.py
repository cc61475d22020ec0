"""Proofs: what an invoice was issued with is what its proof, made later, comes to."""

import json
from datetime import date, timedelta
from uuid import uuid4

import pytest

from gridtally.contracts.metering import Series
from gridtally.database import ALL_TENANTS
from gridtally.kernel.chain import Tampered
from gridtally.kernel.periods import ONE_DAY
from gridtally.rating.proof.contents import digest_of
from gridtally.rating.proof.verification import verify_invoice

ISSUED = """
SELECT value FROM outbox WHERE key LIKE $1 || ':%' AND topic = 'invoice.issued.v1' ORDER BY seq
"""
PEAK = {
    "kind": "time_of_use",
    "id": "energy",
    "bands": [{"name": "day", "rate": "0.3011"}, {"name": "night", "rate": "0.1979"}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
    "default_band": "day",
}
STEPS = {
    "kind": "tiered",
    "id": "steps",
    "limits": {"per": "period", "reset_months": 12},
    "tiers": [{"limit": "1000", "rate": "0.01"}, {"rate": "0.02"}],
}


def tariff(base):
    return {
        "currency": "EUR",
        "zone": "Europe/Berlin",
        "rounding": {"mode": "half_up", "decimals": 2, "per": "invoice"},
        "components": [
            {"kind": "fixed", "id": "base", "rate": base, "per": "month"},
            {"kind": "capacity", "id": "kw", "rate": "0.333"},
            PEAK,
            {"kind": "energy", "id": "feed-in", "rate": "-0.08", "flow": "export"},
            {"kind": "spot", "id": "spot", "series": "DE-LU", "markup": "0.007"},
            STEPS,
            {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
        ],
    }


def metered(make, home, period, revision=1, **changes):
    """A closed period of quarter hours of import, some of them no good, and hours of export."""
    quarters, hours = (period.slots(make.BERLIN, minutes) for minutes in (15, 60))
    series = [
        Series(
            flow="import",
            minutes=15,
            values=[None, *((37 * slot + revision) % 501 for slot in range(quarters - 1))],
            quality="-ES" + "A" * (quarters - 3),
        ),
        Series(
            flow="export",
            minutes=60,
            values=[slot % 11 for slot in range(hours)],
            quality="A" * hours,
        ),
    ]
    closed = make.closed(home, period=period, revision=revision, closed_by="grace", **changes)
    return closed.model_copy(update={"series": series, "digest": digest_of(series)})


@pytest.fixture
async def api(world, make, clients):
    """February and March on two versions and on states, February corrected after both."""
    tariff_id, meter_id = uuid4(), uuid4()
    changed_on = date(2025, 3, 16)
    await world.publish(
        make.published(tariff_id, tariff("12.50"), until=changed_on),
        make.published(tariff_id, tariff("13.00"), number=2, since=changed_on),
    )
    await world.register(make.registered(meter_id, flows=("import", "export"), connected_kw="15.5"))
    home = await world.agree(
        tariff_id=tariff_id, meter_id=meter_id, start_on=make.FEBRUARY.start_on
    )
    days = [make.FEBRUARY.start_on - ONE_DAY, *make.FEBRUARY.dates(), *make.MARCH.dates()]
    await world.price(*(make.priced(day, f"0.1{day.day:02}") for day in days))
    await world.close(metered(make, home, make.FEBRUARY), metered(make, home, make.MARCH))
    await world.price(*(make.priced(day, "0.5", version=2) for day in make.FEBRUARY.dates()))
    await world.close(metered(make, home, make.FEBRUARY, revision=2))
    await world.retry_all()
    return await clients(world.tenant)


async def test_every_invoice_has_the_root_of_its_proof(world, api):
    rows = await world.rows(ISSUED, world.tenant, tenant=ALL_TENANTS)
    issued = [json.loads(row["value"]) for row in rows]
    assert len({event["proof_root"] for event in issued}) == len(issued) == 4
    for event in issued:
        answer = await api.get(f"/v1/invoices/{event['invoice_id']}/proof")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.headers["content-disposition"].endswith('-proof.json"')
        proof = answer.json()
        invoice = (await api.get(f"/v1/invoices/{event['invoice_id']}")).json()
        proven = verify_invoice(proof, event["proof_root"])
        assert (proven.root, proven.total) == (invoice["proof_root"], invoice["total"])
        assert proof["lines"] == invoice["lines"]
        assert proof["invoice"]["issued_at"] == invoice["issued_at"]
        assert proof["readings"]["digest"] == invoice["evidence"]["digest"]
    listed = (await api.get("/v1/invoices")).json()["items"]
    assert {item["proof_root"] for item in listed} == {event["proof_root"] for event in issued}


async def test_a_proof_holds_what_was_billed_by(api):
    invoices = (await api.get("/v1/invoices", params={"from": "2025-03-01"})).json()["items"]
    proof = (await api.get(f"/v1/invoices/{invoices[0]['id']}/proof")).json()
    assert [part["end_on"] for part in proof["parts"]] == ["2025-03-16", "2025-04-01"]
    fixed = [own["document"]["components"][0]["rate"] for own in proof["tariff_versions"]]
    assert fixed == ["12.50", "13.00"]
    assert [own["flow"] for own in proof["series"]] == ["import", "export"]
    assert proof["state_before"]["steps"]["kind"] == "progress"
    assert len(proof["prices"]) == 32, "the day before; April has no prices yet"
    forged = proof | {"state_before": proof["state_after"]}
    with pytest.raises(Tampered, match="/state_before was changed"):
        verify_invoice(forged, invoices[0]["proof_root"])


async def test_an_unknown_invoice_has_no_proof(api):
    answer = await api.get(f"/v1/invoices/{uuid4()}/proof")
    assert (answer.status_code, answer.json()["code"]) == (404, "invoice_unknown")


async def test_the_bill_as_known_at_a_moment_is_the_invoice_issued_by_then(world, make, clients):
    """Issued, corrected, and corrected back: byte for byte what stood on each invoice."""
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id, tariff("12.50")))
    await world.register(make.registered(meter_id, flows=("import", "export"), connected_kw="15.5"))
    home = await world.agree(tariff_id=tariff_id, meter_id=meter_id, start_on=make.MARCH.start_on)
    days = [make.MARCH.start_on - ONE_DAY, *make.MARCH.dates()]
    await world.price(*(make.priced(day, f"0.1{day.day:02}") for day in days))
    issued_at = [make.NOW + number * ONE_DAY for number in range(3)]
    for number, at in enumerate(issued_at):
        await world.price(
            *(make.priced(day, f"0.{3 + number}", version=2 + number) for day in days)
        )
        await world.close(metered(make, home, make.MARCH, revision=1 + number), now=at)
    api = await clients(world.tenant)
    path = f"/v1/agreements/{home.id}/periods/2025-03-01/bill"
    seen = []
    for at in issued_at:
        answers = [
            await api.get(path, params={"as_known_at": moment.isoformat()})
            for moment in (at, at + ONE_DAY - timedelta(microseconds=1))
        ]
        first, last = (answer.json() for answer in answers)
        assert first | {"as_known_at": None} == last | {"as_known_at": None}
        issued = await api.get(f"/v1/invoices/{first['invoice_id']}")
        shown = (answers[0].text, issued.text)
        lines, of_invoice = (text[text.index('"lines":[') :].split("}]")[0] for text in shown)
        assert lines == of_invoice
        invoice = issued.json()
        for name in ("number", "revision", "issued_at", "currency", "net", "tax", "total", "lines"):
            assert first[name] == invoice[name], name
        assert first["state_after"] == invoice["evidence"]["state_after"]
        seen.append((first["revision"], first["total"]))
    assert [revision for revision, _ in seen] == [1, 2, 3]
    assert len({total for _, total in seen}) == 3
    assert (await api.get(path)).json()["revision"] == 3
    before = {"as_known_at": (make.NOW - timedelta(microseconds=1)).isoformat()}
    for asked, params in ((path, before), (path.replace("-03-", "-04-"), {}),
                          (path.replace(str(home.id), str(uuid4())), {})):  # fmt: skip
        answer = await api.get(asked, params=params)
        assert (answer.status_code, answer.json()["code"]) == (404, "bill_unknown")
    assert (await api.get(path, params={"as_known_at": "2025-05-02T10:00"})).status_code == 422
