"""An invoice says what of it is estimated, substituted or missing, on its lines and as a whole.

Sources: Energy-Sparks/energy-sparks#5632, HAForgeLabs/utilitati_romania#20 ("Estimare"): an
invoice that was made of estimates alone did not show it.
"""

import json

import pytest

from gridtally.billing.store.invoices import fetch_invoices
from gridtally.contracts.invoice_lines import DataQuality
from gridtally.contracts.metering import Series
from gridtally.database import snapshot


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


def series_of(make, quality, values=None):
    slots = make.MARCH.slots(make.BERLIN, 15)
    quality = quality.ljust(slots, quality[-1])
    values = values or [None if letter in "-N" else 100 for letter in quality]
    return [Series(flow="import", minutes=15, values=values, quality=quality)]


async def issued(world, api, make, quality, **more):
    """The invoice of March, from the API, in its event and as it is read for the next revision."""
    home = await world.home()
    await world.close(make.closed(home, series=series_of(make, quality), **more))
    (invoice,) = await world.invoices()
    detail = (await api.get(f"/v1/invoices/{invoice['id']}")).json()
    (event,) = await world.rows("SELECT value FROM outbox WHERE topic = 'invoice.issued.v1'")
    event = json.loads(event["value"])
    async with snapshot(world.database, tenant=world.tenant) as read:
        [stored] = (await fetch_invoices(read, [(world.tenant, invoice["id"])])).values()
    qualities = [line["quality"] for line in detail["lines"]]
    assert [line["quality"] for line in event["lines"]] == qualities
    assert [line.quality and line.quality.worst for line in stored.lines] == [
        quality and quality["worst"] for quality in qualities
    ]
    assert event["quality"] == detail["quality"] == detail["evidence"]["quality"]
    recalculated = (await api.get(f"/v1/invoices/{invoice['id']}/recalculation")).json()
    assert recalculated["agrees"]
    assert [line["quality"] for line in recalculated["lines"]] == qualities
    return detail


async def test_an_invoice_of_estimates_alone_says_so(world, api, make):
    """2972 quarter hours of 100 Wh: 297.2 kWh, all estimated."""
    detail = await issued(world, api, make, "E")
    expected = {
        "worst": "estimated", "estimated_intervals": 2972, "substituted_intervals": 0,
        "missing_intervals": 0, "estimated_kwh": "297.200", "substituted_kwh": "0",
    }  # fmt: skip
    assert detail["quality"] == expected
    energy = [line["quality"] for line in detail["lines"] if line["flow"] == "import"]
    assert energy == [expected] * len(energy) != []
    assert {line["quality"] for line in detail["lines"] if line["flow"] is None} <= {None}


async def test_an_invoice_of_readings_says_that_too(world, api, make):
    detail = await issued(world, api, make, "A")
    actual = DataQuality().model_dump(mode="json")
    assert detail["quality"] == actual
    assert all(line["quality"] == actual for line in detail["lines"] if line["flow"])


async def test_what_is_missing_is_counted(world, api, make):
    detail = await issued(
        world, api, make, "---SSEA", closed_by="grace", present_intervals=2969
    )  # fmt: skip
    quality = detail["quality"]
    assert (quality["worst"], quality["missing_intervals"]) == ("missing", 3)
    assert (quality["substituted_kwh"], quality["estimated_kwh"]) == ("0.200", "0.100")


async def test_time_without_a_channel_is_neither_missing_nor_held(world, api, make):
    detail = await issued(world, api, make, "N" * 100 + "A", expected_intervals=2872,
                          present_intervals=2872)  # fmt: skip
    assert detail["quality"]["worst"] == "actual"
    assert await world.held() == []


async def test_an_invoice_from_before_has_the_quality_of_its_evidence(world, api, make):
    home = await world.home()
    await world.close(make.closed(home, series=series_of(make, "E")))
    (invoice,) = await world.invoices()
    evidence = (await api.get(f"/v1/invoices/{invoice['id']}/evidence")).json()
    assert evidence["quality"]["estimated_intervals"] == 2972
    assert set(evidence["series"][0]["quality"]) == {"E"}


async def test_estimates_that_readings_replace_make_another_invoice(world, make):
    """The values are the same: what the customer is told is not."""
    home = await world.home()
    await world.close(make.closed(home, series=series_of(make, "E")))
    await world.close(make.closed(home, revision=2, digest="1" * 64))
    first, second = await world.invoices()
    assert (first["quality"]["worst"], second["quality"]) == ("estimated", {"worst": "actual"})
