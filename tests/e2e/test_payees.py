"""What lines name others for, from the tariff over the bill to the books, and paid to them."""

import pytest

from e2e.house import house_on, until
from e2e.installation import empty_gridtally
from gridtally.cli.errors import CommandError
from gridtally.cli.reconciliation import reconcile_until_stable

CHARGES = [
    {"kind": "energy", "id": "energy", "rate": "0.20", "flow": "import"},
    {"kind": "adjustment", "id": "grid", "rate": "0.05", "flow": "import", "payee": "Grid North"},
    {"kind": "tax", "id": "town", "rate": "0.05", "component_ids": ["energy"], "payee": "Town"},
    {"kind": "tax", "id": "vat", "rate": "0.10", "component_ids": ["energy", "grid"]},
]
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
async def api(stack_servers):
    async with (
        empty_gridtally(stack_servers) as running,
        running.installation.as_tenant() as tenant,
    ):
        yield tenant


async def owed(api):
    """By payee, the tax authority's name is None: what each came to be owed, was paid, and is owed
    still."""
    page = await api.get("ledger", "/v1/payees")
    return {
        item["payee"]: (item["owed"], item["settled"], item["balance"]) for item in page["items"]
    }


async def test_payees_of_a_tariff_are_owed_their_lines_and_paid(api):
    """672 kWh in February and 744 in March, of which ten turn out to be a misreading: 33.60 and
    36.70 of the grid, 5 % of 134.40 and 146.80 of the town, 10 % of 168.00 and 183.50 of tax."""
    house = await house_on(api, *CHARGES)
    await house.read("0", "2025-02-01T00:00:00+01:00")
    await house.read("672", "2025-03-01T00:00:00+01:00")
    april = await house.read("1416", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "191.52", "2025-03-01": "212.04"})
    value = {"value": "1406", "read_at": "2025-04-01T00:00:00+02:00"}
    await api.call("ledger", "PUT", f"/v1/readings/{april}", json_body=value)
    await until(house.invoices, {"2025-02-01": "191.52", "2025-03-01": "209.19"})
    said = {"Grid North": "70.30", "Town": "14.06", None: "35.15"}

    async def is_owed():
        return await owed(api)

    await until(is_owed, {payee: (amount, "0.00", amount) for payee, amount in said.items()})

    listed = (await api.get("ledger", "/v1/payees", payee="Grid North"))["items"]
    path = f"/v1/payees/{listed[0]['id']}"
    with pytest.raises(CommandError, match="owed"):
        await api.post("ledger", f"{path}/settlements", {"amount": "70.31"})
    paid = await api.post("ledger", f"{path}/settlements", {"amount": "70.30", "reference": "S 1"})
    assert (paid["kind"], paid["total"]) == ("settlement", "70.30")
    assert (await owed(api))["Grid North"] == ("70.30", "70.30", "0.00")
    statement = await api.get("ledger", f"{path}/statement")
    assert [(e["kind"], e["amount"]) for e in statement["entries"]] == [
        ("invoice", "33.60"), ("invoice", "37.20"), ("credit_note", "-37.20"),
        ("invoice", "36.70"), ("settlement", "-70.30"),
    ]  # fmt: skip

    findings = await reconcile_until_stable(api, patience_s=PATIENCE_S)
    assert [finding.what for finding in findings if not finding.holds] == []
    by_lines = [finding for finding in findings if "by lines = in the books" in finding.what]
    assert len(by_lines) == len(said)
