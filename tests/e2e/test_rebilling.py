"""A wrong customer and a wrong plan are found after invoicing, over Kafka and through the books:
each customer's account is what it would be without the mistake."""

from uuid import UUID, uuid4

import pytest

from e2e.house import ZONE, house_on, until
from e2e.installation import empty_gridtally
from gridtally.client import AsyncClient
from gridtally.client.generated.billing_models import NewRebilling

WRONG = {"kind": "energy", "id": "energy", "rate": "0.20", "flow": "import"}
RIGHT = {"kind": "energy", "id": "energy", "rate": "0.10", "flow": "import"}


@pytest.fixture(scope="module")
async def running(stack_servers):
    """An empty Gridtally, as the command and as programs call it."""
    async with empty_gridtally(stack_servers) as gridtally:
        installation = gridtally.installation
        async with (
            installation.as_tenant() as api,
            AsyncClient(installation.urls, installation.api_key) as client,
        ):
            yield api, client.billing


async def published(api, charge):
    """A tariff of one charge."""
    tariff_id = str(uuid4())
    new = {"id": tariff_id, "code": f"t-{tariff_id[:8]}", "name": "Right", "currency": "EUR"}
    await api.post("tariff", "/v1/tariffs", new | {"zone": ZONE})
    document = {"currency": "EUR", "zone": ZONE, "components": [charge]}
    body = {"effective_from": "2025-01-01", "document": document}
    version = await api.post("tariff", f"/v1/tariffs/{tariff_id}/versions", body)
    await api.post("tariff", f"/v1/tariffs/{tariff_id}/versions/{version['number']}/publish")
    return tariff_id


async def live(api, customer_id):
    """Live invoices of a customer in billing: period and total."""
    page = await api.get("billing", "/v1/invoices", customer_id=customer_id, state="issued")
    return sorted((item["start_on"], item["end_on"], item["total"]) for item in page["items"])


async def balance(api, customer_id):
    """What a customer owes by the ledger, in euros; None without an account."""
    answer = await api.get("ledger", f"/v1/customers/{customer_id}/balance")
    return [item["balance"] for item in answer["currencies"]]


async def test_a_wrong_customer_and_plan_are_put_right_from_a_day_in_the_billed_past(
    running,
):
    """672 kWh in February and 744 in March at 0.20: 134.40 and 148.80, which Ada has paid. Grace
    had moved in on the 15th of February, at 0.10: of February 14 days each, 336 kWh, so 67.20 of
    Ada, and 33.60 and 74.40 of Grace. Then March is read again: 734 kWh, 73.40."""
    api, billing = running
    house, right = await house_on(api, WRONG), await published(api, RIGHT)
    await house.read("0", "2025-02-01T00:00:00+01:00")
    await house.read("672", "2025-03-01T00:00:00+01:00")
    april = await house.read("1416", "2025-04-01T00:00:00+02:00")
    wrong = [("2025-02-01", "2025-03-01", "134.40"), ("2025-03-01", "2025-04-01", "148.80")]
    await until(lambda: live(api, house.customer_id), wrong)
    await until(lambda: balance(api, house.customer_id), ["283.20"])
    payment = {"customer_id": house.customer_id, "currency": "EUR", "amount": "283.20"}
    await api.post("ledger", "/v1/payments", payment)

    grace = str(uuid4())
    await api.post("billing", "/v1/customers", {"id": grace, "name": "Grace", "currency": "EUR"})
    fields = {
        "from_on": "2025-02-15",
        "reason": "Grace had moved in",
        "replacement": {"customer_id": grace, "tariff_id": right},
    }
    order, agreement_id = NewRebilling.model_validate(fields), UUID(house.agreement_id)
    preview = (await billing.preview_rebilling(agreement_id, order)).model_dump(mode="json")
    assert [credit["total"] for credit in preview["credits"]] == ["134.40", "148.80"]
    assert [bill["bill"]["total"] for bill in preview["bills"]] == ["67.20", "33.60", "74.40"]
    assert [change["difference"] for change in preview["changes"]] == ["-216.00", "108.00"]
    assert await live(api, house.customer_id) == wrong

    await billing.create_rebilling(agreement_id, order, if_match=1)
    ada = [("2025-02-01", "2025-02-15", "67.20")]
    await until(lambda: live(api, house.customer_id), ada)
    graces = [("2025-02-15", "2025-03-01", "33.60"), ("2025-03-01", "2025-04-01", "74.40")]
    await until(lambda: live(api, grace), graces)
    await until(lambda: balance(api, house.customer_id), ["-216.00"])
    await until(lambda: balance(api, grace), ["108.00"])

    value = {"value": "1406", "read_at": "2025-04-01T00:00:00+02:00"}
    await api.call("ledger", "PUT", f"/v1/readings/{april}", json_body=value)
    await until(lambda: live(api, grace), [graces[0], ("2025-03-01", "2025-04-01", "73.40")])
    await until(lambda: balance(api, grace), ["107.00"])
    assert await live(api, house.customer_id) == ada
    periods = await api.get("ingest", "/v1/periods", agreement_id=house.agreement_id)
    assert [(p["end_on"], p["revision"]) for p in periods["items"]] == [("2025-02-15", 2)]
    for service in ("billing", "ledger"):
        assert (await api.get(service, "/v1/reconciliation"))["ok"], service
    closed = await api.get("ingest", "/v1/reconciliation")
    billed = await api.get("billing", "/v1/reconciliation")
    assert closed["closed_periods"] == billed["periods"] == billed["invoiced"] == 3
    assert await house.held() == []
