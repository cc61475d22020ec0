"""Agreements that name what nobody knows yet are listed; those that can never work are refused."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.incomplete_agreements import IncompleteAgreement
from problems import paths

LIST = "/v1/incomplete-agreements"


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def listed(api, **params):
    answer = await api.get(LIST, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def lacking(api, **params):
    items = (await listed(api, **params))["items"]
    return {item["agreement"]["id"]: item["missing"] for item in items}


async def agreed(api, status=201, currency="EUR", **changes):
    payer = await api.post("/v1/customers", json={"name": "Ada", "currency": currency})
    body = {"customer_id": payer.json()["id"], "meter_id": str(uuid4()), "tariff_id": str(uuid4()),
            "start_on": "2025-01-01"} | changes  # fmt: skip
    answer = await api.post("/v1/agreements", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_what_an_agreement_lacks_is_listed_until_it_is_known(api, world, make):
    complete = await world.home()
    both = await agreed(api)
    tariff_alone = await agreed(api, meter_id=str(complete.meter_id), start_on="2024-01-01",
                                end_on="2025-01-01")  # fmt: skip
    assert await lacking(api) == {both["id"]: ["meter", "tariff"], tariff_alone["id"]: ["tariff"]}
    assert await lacking(api, missing="meter") == {both["id"]: ["meter", "tariff"]}
    assert await lacking(api, customer_id=both["customer_id"]) == {both["id"]: ["meter", "tariff"]}
    await world.register(make.registered(both["meter_id"]))
    assert await lacking(api, missing="meter") == {}
    version = make.published(both["tariff_id"])
    await world.publish(version)
    assert await lacking(api) == {tariff_alone["id"]: ["tariff"]}
    await world.publish(version.model_copy(update={"status": "withdrawn"}))
    assert await lacking(api, missing="tariff") == {
        both["id"]: ["tariff"],
        tariff_alone["id"]: ["tariff"],
    }


async def test_the_oldest_come_first_page_by_page_with_their_age(api, clients):
    made = [await agreed(api) for _ in range(3)]
    first = await listed(api, limit=2)
    second = await listed(api, limit=2, cursor=first["next_cursor"])
    assert [item["agreement"] for item in first["items"] + second["items"]] == made
    assert second["next_cursor"] is None
    assert first["items"][0]["age_hours"] == 0
    assert await lacking(await clients("another")) == {}


async def test_what_has_no_days_any_more_lacks_nothing(api):
    made = await agreed(api)
    order = {"from_on": "2025-01-01", "reason": "a mistake"}
    path = f"/v1/agreements/{made['id']}/rebilling"
    assert (await api.post(path, json=order, headers={"If-Match": '"1"'})).status_code == 201
    assert await lacking(api) == {}


def test_an_age_is_counted_in_whole_hours(make):
    agreement = Agreement(uuid4(), uuid4(), uuid4(), uuid4(), date(2025, 1, 1), None, "wait", 0, 1)
    incomplete = IncompleteAgreement(agreement, ["meter"], make.NOW)
    for minutes, hours in ((0, 0), (59, 0), (60, 1), (1_500, 25)):
        assert incomplete.age_hours(make.NOW + timedelta(minutes=minutes)) == hours


async def test_a_tariff_in_another_currency_than_the_customers_is_refused(api, world, make):
    """No version of the tariff changes its currency. Where it is not known yet it is accepted, and
    the periods are held (`currency_differs`)."""
    tariff_id = uuid4()
    early = await agreed(api, tariff_id=str(tariff_id), currency="CHF")
    await world.publish(make.published(tariff_id))
    refused = await agreed(api, 422, tariff_id=str(tariff_id), currency="CHF")
    assert (refused["code"], paths(refused)) == ("currency_differs", ["/tariff_id"])
    body = {name: early[name] for name in ("id", "customer_id", "meter_id", "tariff_id",
                                           "start_on")}  # fmt: skip
    again = await api.post("/v1/agreements", json=body)
    assert (again.status_code, again.json()) == (200, early)
    items = [{**body, "id": str(uuid4()), "meter_id": str(uuid4()), "tariff_id": str(uuid4())},
             {**body, "id": str(uuid4()), "meter_id": str(uuid4())}]  # fmt: skip
    batch = await api.post("/v1/agreements/batch", json={"items": items})
    assert (batch.status_code, paths(batch.json())) == (422, ["/items/1/tariff_id"])
    assert (await api.get(f"/v1/agreements/{items[0]['id']}")).status_code == 404
    assert (await agreed(api, tariff_id=str(tariff_id)))["version"] == 1


async def test_a_rebilling_by_a_tariff_in_another_currency_is_refused(api, world, make):
    home = await world.home()
    tariff_id = uuid4()
    await world.publish(make.published(tariff_id, make.FLAT | {"currency": "CHF"}))
    order = {"from_on": "2025-01-01", "reason": "a wrong plan",
             "replacement": {"tariff_id": str(tariff_id)}}  # fmt: skip
    path = f"/v1/agreements/{home.id}/rebilling"
    answer = await api.post(path, json=order, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (422, "currency_differs")


async def test_nothing_is_agreed_for_a_customer_who_was_erased(api):
    made = await agreed(api, end_on="2025-02-01")
    path = f"/v1/customers/{made['customer_id']}/erase"
    erased = await api.post(path, json={"reason": "asked for"}, headers={"If-Match": '"1"'})
    assert erased.status_code == 200, erased.text
    body = {"customer_id": made["customer_id"], "meter_id": str(uuid4()),
            "tariff_id": str(uuid4()), "start_on": "2025-03-01"}  # fmt: skip
    answer = await api.post("/v1/agreements", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "customer_erased")
    assert paths(answer.json()) == ["/customer_id"]


@pytest.mark.parametrize("end_on", ["2024-12-31", "2025-01-01"])
async def test_an_agreement_that_ends_before_it_begins_is_refused(api, end_on):
    assert (await agreed(api, 422, end_on=end_on))["code"] == "invalid_request"
