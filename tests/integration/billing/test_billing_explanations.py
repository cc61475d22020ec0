"""An invoice explained: its lines are the sums of their intervals, to the last digit."""

from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.kernel.periods import ONE_DAY

TIME_OF_USE = {
    "kind": "time_of_use",
    "id": "energy",
    "bands": [{"name": "day", "rate": "0.3011"}, {"name": "night", "rate": "0.1979"}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
    "default_band": "day",
}
TIERS = {
    "kind": "tiered",
    "id": "steps",
    "tiers": [{"limit": "100", "rate": "0.01"}, {"rate": "0.02"}],
}
DOCUMENT = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month"},
        TIME_OF_USE,
        {"kind": "adjustment", "id": "levy", "rate": "0.00123"},
        {"kind": "spot", "id": "spot", "series": "DE-LU", "markup": "0.007"},
        TIERS,
        {"kind": "percent", "id": "discount", "rate": "-0.03", "component_ids": ["energy"]},
        {"kind": "tax", "id": "old", "rate": "0.07", "component_ids": ["energy", "levy"],
         "to_on": "2025-03-16"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy", "levy"],
         "from_on": "2025-03-16"},
    ],
}  # fmt: skip


@pytest.fixture
async def explained(world, make, clients):
    """The explanation of March, which has a day of 23 hours and an estimated first interval."""
    home = await world.home(document=DOCUMENT)
    slots = make.MARCH.slots(make.BERLIN, 15)
    days = [make.MARCH.start_on - ONE_DAY, *make.MARCH.dates(), make.MARCH.end_on]
    await world.price(*(make.priced(day, f"0.1{day.day:02}") for day in days))
    values = [(37 * slot) % 501 for slot in range(slots)]
    closed = make.closed(home, values=values)
    series = closed.series[0].model_copy(update={"quality": "E" + "A" * (slots - 1)})
    await world.close(closed.model_copy(update={"series": [series]}))
    (invoice,) = await world.invoices()
    api = await clients(world.tenant)
    path = f"/v1/invoices/{invoice['id']}"
    answer = await api.get(f"{path}/explanation")
    assert answer.status_code == 200, answer.text
    return api, path, answer.json(), values


async def test_every_line_is_the_sum_of_what_it_is_made_of(explained):
    api, path, explanation, values = explained
    issued = (await api.get(path)).json()["lines"]
    assert [own["line"] for own in explanation["lines"]] == issued
    amounts = [Decimal(line["amount_exact"]) for line in issued]
    made_of = {}
    for own, line in zip(explanation["lines"], issued, strict=True):
        made_of.setdefault(line["component_id"], set()).add(own["made_of"])
        if own["made_of"] == "intervals":
            intervals = own["intervals"]
            assert sum(Decimal(interval["amount"]) for interval in intervals) == Decimal(
                line["amount_exact"]
            )
            assert sum(interval["wh"] for interval in intervals) == Decimal(line["quantity"]) * 1000
        elif own["made_of"] == "lines":
            taken = sum(amounts[number - 1] for number in own["of_lines"])
            assert (taken, bool(own["of_lines"])) == (Decimal(line["quantity"]), True)
    assert made_of == {
        "base": {"days"},
        "energy": {"intervals"},
        "levy": {"intervals"},
        "spot": {"intervals"},
        "steps": {"whole"},
        "discount": {"lines"},
        "old": {"lines"},
        "vat": {"lines"},
    }
    night = next(own for own in explanation["lines"] if own["line"]["band"] == "night")
    assert night["intervals"][0] == {
        "start_at": "2025-02-28T23:00:00Z",
        "wh": values[0],
        "quality": "E",
        "rate": "0.1979",
        "amount": "0.0000000",
    }
    assert night["rounding"] == {"mode": "half_even", "decimals": 2, "per": "line"}
    assert (explanation["revision"], explanation["state_before"]) == (1, {})


async def test_one_line_or_none_is_explained(explained):
    api, path, explanation, _ = explained
    one = (await api.get(f"{path}/explanation", params={"line": 2})).json()
    assert one["lines"] == explanation["lines"][1:2]
    beyond = len(explanation["lines"]) + 1
    for asked, code in ((f"{path}/explanation?line={beyond}", "line_unknown"),
                        (f"/v1/invoices/{uuid4()}/explanation", "invoice_unknown")):  # fmt: skip
        answer = await api.get(asked)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
