"""A meter that an agreement bills is not removed, and neither is its property."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.envelope import Envelope
from gridtally.database import ALL_TENANTS, transaction
from gridtally.kernel.periods import local_date
from gridtally.ledger.registry.handlers.agreements import apply_agreements
from gridtally.messaging import ReceivedMessage
from integration.ledger.properties import property_of
from problems import paths

TODAY = local_date("Europe/Berlin", datetime.now(UTC))


def of(meter_id, version=1, start_on="2020-01-01", end_on=None, id_=None):
    return AgreementChanged(
        agreement_id=id_ or uuid4(), customer_id=uuid4(), meter_id=meter_id, tariff_id=uuid4(),
        start_on=start_on, end_on=end_on, version=version,
    )  # fmt: skip


@pytest.fixture
def hear(ledger):
    """The ledger hears of agreements; of those that are only ids, that they were deleted."""

    async def apply(*said, tenant="acme"):
        messages = []
        for offset, item in enumerate(said):
            event = item if isinstance(item, AgreementChanged) else None
            key = f"{tenant}:{item if event is None else event.agreement_id}"
            envelope = Envelope(uuid4(), AgreementChanged.TOPIC, "billing",
                                datetime.now(UTC), tenant, "c-1")  # fmt: skip
            messages.append(
                ReceivedMessage(event, envelope, AgreementChanged.TOPIC, 0, offset, key, None)
            )
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await apply_agreements(tx, messages)

    return apply


async def test_a_billed_meter_and_its_property_stay_until_the_agreement_has_ended(acme, home, hear):
    agreement = of(home["total"])
    await hear(agreement)
    for path in (f"/v1/meters/{home['total']}", f"/v1/properties/{home['id']}"):
        refused = await acme.delete(path)
        assert refused.status_code == 409
        body = refused.json()
        assert body["code"] == "meter_billed"
        assert paths(body) == [f"/agreements/{agreement.agreement_id}"]
        assert home["total"] in refused.text
    assert (await acme.delete(f"/v1/meters/{home['gg']}")).status_code == 204
    await hear(of(home["total"], 2, end_on=TODAY, id_=agreement.agreement_id))
    await hear(agreement)  # which is older than what is known
    assert (await acme.delete(f"/v1/meters/{home['total']}")).status_code == 204
    assert (await acme.delete(f"/v1/properties/{home['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("start_on", "end_on", "status"),
    [
        ("2020-01-01", TODAY + timedelta(days=1), 409),  # today is its last day
        ("2020-01-01", TODAY, 204),
        (TODAY + timedelta(days=9), None, 409),
        (TODAY + timedelta(days=9), TODAY + timedelta(days=9), 204),  # cancelled
    ],
)
async def test_an_agreement_is_live_until_its_last_day_has_passed(
    acme, home, hear, start_on, end_on, status
):
    await hear(of(home["total"], start_on=start_on, end_on=end_on))
    assert (await acme.delete(f"/v1/meters/{home['total']}")).status_code == status


async def test_a_deleted_agreement_holds_no_meter(acme, home, hear):
    agreement = of(home["total"])
    await hear(agreement, agreement.agreement_id)
    assert (await acme.delete(f"/v1/properties/{home['id']}")).status_code == 204


async def test_an_agreement_of_another_tenant_holds_no_meter(clients, acme, home, hear):
    await hear(of(home["total"]), tenant="other")
    other = await property_of(await clients("other"))
    assert other["id"] != home["id"]
    assert (await acme.delete(f"/v1/properties/{home['id']}")).status_code == 204
