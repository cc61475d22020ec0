"""A caller who is bound to a customer: what the API shows of it, and what the database does."""

import asyncio
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest

from doubles.billing.fleet import Fleet
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.tables import METADATA
from gridtally.database import bind_customer, bound_customer, for_all_customers, transaction
from gridtally.http.auth import CUSTOMER_HEADER

SELLER = {
    "name": "Grid",
    "address": {"street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"},
    "language": "en-GB",
}
SHOWN = {
    "adopted_invoice", "agreement", "billed_period", "budget_plan", "calculated_bill",
    "credit_note", "credit_note_line", "customer", "customer_balance", "daily_cost", "daily_usage",
    "document", "invoice", "invoice_evidence", "invoice_line", "invoice_section", "issued_total",
    "meter", "meter_definition", "prepayment", "site",
}  # fmt: skip
"""Tables of which a bound session sees its customer's rows."""
COMMON = {
    "price_day": "published prices",
    "region": "the catalogue's regions",
    "seller": "the letterhead of every document",
    "tariff_version": "published tariffs",
}
"""Tables that it sees whole, within its tenant; of all others it sees nothing."""
WINDOW = {"from": "2025-03-01T00:00:00Z", "to": "2025-04-01T00:00:00Z"}
DAYS = {"start": "2025-03-01", "end": "2025-04-01"}
OPEN = (
    ("/v1/customers/{customer}", {}),
    ("/v1/agreements", {}),
    ("/v1/agreements", {"customer_id": "{customer}"}),
    ("/v1/agreements", {"meter_id": "{meter}"}),
    ("/v1/agreements/{agreement}", {}),
    ("/v1/agreements/{agreement}/preview", {"on": "2025-03-15"}),
    ("/v1/invoices", {}),
    ("/v1/invoices", {"customer_id": "{customer}"}),
    ("/v1/invoices", {"agreement_id": "{agreement}"}),
    ("/v1/invoices", {"meter_id": "{meter}", "state": "issued"}),
    ("/v1/invoices/{invoice}", {}),
    ("/v1/invoices/{invoice}/evidence", {}),
    ("/v1/invoices/{invoice}/explanation", {}),
    ("/v1/invoices/{invoice}/recalculation", {}),
    ("/v1/invoices/{invoice}/proof", {}),
    ("/v1/invoices/{invoice}/document", {"format": "html"}),
    ("/v1/invoices/{invoice}/document", {"format": "pdf"}),
    ("/v1/credit-notes", {}),
    ("/v1/credit-notes", {"customer_id": "{customer}"}),
    ("/v1/credit-notes", {"invoice_id": "{void}"}),
    ("/v1/credit-notes/{note}", {}),
    ("/v1/credit-notes/{part}", {}),
    ("/v1/credit-notes/{note}/document", {"format": "html"}),
    ("/v1/customers/{customer}/bills", DAYS),
    ("/v1/customers/{customer}/calculations", {}),
    ("/v1/customers/{customer}/offers", {"on": "2025-03-15"}),
    ("/v1/customers/{customer}/prepayment", {}),
    ("/v1/customers/{customer}/prepayment/days", {"from": "2025-01-01", "to": "2025-04-01"}),
    ("/v1/fleet/customers/{customer}/cost", WINDOW),
    ("/v1/fleet/customers/{customer}/cost/hours-without-tariff", WINDOW),
    ("/v1/fleet/customers/{customer}/cost/export", WINDOW | {"by": "day", "format": "csv"}),
)
"""What is asked under a binding, by the names of a customer's things."""


@dataclass
class Payer:
    """A customer to whom everything has happened, with the ids of its things."""

    home: Agreement
    ids: dict[str, str]

    def asks(self):
        for path, query in OPEN:
            filters = {name: value.format_map(self.ids) for name, value in query.items()}
            yield path.format_map(self.ids), filters


@pytest.fixture
async def api(world, clients):
    client = await clients(world.tenant)
    assert (await client.put("/v1/seller", json=SELLER)).status_code == 200
    return client


async def payer(world, make, client):
    """A customer with an invoice, one that was replaced, a note of a part, usage and a bill."""
    home = await world.home()
    await world.use(*[
        make.used(home.meter_id, make.MARCH.start_on + timedelta(days=day)) for day in range(31)
    ])  # fmt: skip
    await world.close(make.closed(home, period=make.FEBRUARY))
    await world.close(make.closed(home), now=make.NOW + timedelta(hours=1))
    await world.close(make.closed(home, revision=2, wh=90), now=make.NOW + timedelta(hours=2))
    named = {"customer_id": str(home.customer_id)}
    march, void, february = (await client.get("/v1/invoices", params=named)).json()["items"]
    partial_note = {"reason": "goodwill", "amount": "1.00"}
    made = await client.post(f"/v1/invoices/{february['id']}/credit-notes", json=partial_note)
    assert made.status_code == 201, made.text
    detail = (await client.get(f"/v1/invoices/{march['id']}")).json()
    asked = named | DAYS | {"tariff_version_id": detail["lines"][0]["tariff_version_id"]}
    own = {"headers": {CUSTOMER_HEADER: str(home.customer_id)}}
    stored = await client.post("/v1/bills/calculate-and-store", json=asked, **own)
    assert stored.status_code == 201, stored.text
    note = (await client.get("/v1/credit-notes", params={"invoice_id": void["id"]})).json()
    await world.owe(make.balance_changed(home.customer_id, "-99.00", invoiced="0"))
    await world.use(make.used(home.meter_id, make.APRIL.start_on))
    prepaid = await client.put(f"/v1/customers/{home.customer_id}/prepayment", json={})
    assert prepaid.json()["drawn_through"] == "2025-04-01", prepaid.text
    return Payer(home, {
        "customer": str(home.customer_id),
        "agreement": str(home.id),
        "meter": str(home.meter_id),
        "invoice": march["id"],
        "void": void["id"],
        "note": note["items"][0]["id"],
        "part": made.json()["id"],
    })  # fmt: skip


@pytest.fixture
async def ada(world, make, api):
    return await payer(world, make, api)


@pytest.fixture
async def bob(world, make, api):
    return await payer(world, make, api)


def bound_to(client, customer_id):
    return partial(client.get, headers={CUSTOMER_HEADER: str(customer_id)})


async def test_it_sees_its_own_as_others_do_and_nothing_of_anybody_elses(
    api, clients, world, ada, bob
):
    """Each answer is what an unbound caller gets who asks for that customer's; the documents are
    made by whoever is bound, and are there for all."""
    named = {"customer_id": ada.ids["customer"]}
    own = bound_to(api, ada.ids["customer"])
    for path, query in ada.asks():
        seen = await own(path, params=query)
        assert seen.status_code == 200, (path, seen.text)
        filters = named | query if path in LISTS else query
        unbound = await api.get(path, params=filters)
        assert timeless(seen) == timeless(unbound), path
    assert (await own("/v1/seller")).json() == (await api.get("/v1/seller")).json()
    nobodys = {name: str(uuid4()) for name in bob.ids}
    for (path, query), (unknown, other_query) in zip(
        bob.asks(), Payer(bob.home, nobodys).asks(), strict=True
    ):
        seen, none = await own(path, params=query), await own(unknown, params=other_query)
        if path in LISTS and query.keys() <= {"state"}:
            assert ada.ids["customer"] in seen.text
        else:
            assert seen.status_code == (200 if path in LISTS else 404), (path, seen.text)
            assert seen.status_code == none.status_code
        assert not [value for name, value in bob.ids.items() if value in without(seen, value, path)]
    foreign = await clients(world.another().tenant)
    other_tenant = bound_to(foreign, ada.ids["customer"])
    for path, query in ada.asks():
        answer = await other_tenant(path, params=query)
        assert answer.status_code == (200 if path in LISTS else 404), path
        assert path not in LISTS or answer.json()["items"] == []


LISTS = {"/v1/agreements", "/v1/invoices", "/v1/credit-notes"}


def timeless(answer):
    """What an answer says, but for when a preview was made."""
    return re.sub(rb'"made_at":"[^"]*"', b"", answer.content)


def without(answer, asked_for, path):
    """What an answer says, but for an id that was asked for and that a refusal repeats."""
    return answer.text if path in LISTS else answer.text.replace(asked_for, "")


async def test_what_if_writes_nothing_and_is_open(api, ada, bob):
    own = {"headers": {CUSTOMER_HEADER: ada.ids["customer"]}}
    asked = {"json": {"start_on": "2025-03-01", "end_on": "2025-04-01"}}
    seen = await api.post(f"/v1/agreements/{ada.home.id}/preview", **asked, **own)
    unbound = await api.post(f"/v1/agreements/{ada.home.id}/preview", **asked)
    assert (seen.status_code, timeless(seen)) == (200, timeless(unbound))
    others = await api.post(f"/v1/agreements/{bob.home.id}/preview", **asked, **own)
    assert (others.status_code, others.json()["code"]) == (404, "agreement_unknown")


async def test_an_archive_is_bound_for_as_long_as_it_is_sent(api, ada, bob):
    """It holds nothing of somebody else's, though it reads invoice by invoice, long after the
    handler has returned."""
    answer = await bound_to(api, ada.ids["customer"])(
        "/v1/invoice-documents", params={"format": "html"}
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        own = (await api.get("/v1/invoices", params={"customer_id": ada.ids["customer"]})).json()
        foreign = {"customer_id": bob.ids["customer"]}
        assert len((await api.get("/v1/invoices", params=foreign)).json()["items"]) == 3
        assert sorted(archive.namelist()) == sorted(
            f"{invoice['number']}.html" for invoice in own["items"]
        )
    assert bound_customer() is None  # of this test, in whose task the application ran


async def test_requests_at_the_same_time_do_not_bind_one_another(api, ada, bob):
    customers = [None, ada.ids["customer"], bob.ids["customer"]] * 8
    answers = await asyncio.gather(*[
        api.get("/v1/invoices", headers={CUSTOMER_HEADER: own} if own else {}) for own in customers
    ])  # fmt: skip
    for own, answer in zip(customers, answers, strict=True):
        seen = {invoice["customer_id"] for invoice in answer.json()["items"]}
        assert seen == ({own} if own else {ada.ids["customer"], bob.ids["customer"]})


async def test_of_a_meter_it_sees_its_own_days(world, make, api, ada):
    """Usage of the days before its agreement is of whoever lived there then."""
    ended = {"end_on": "2025-04-01"}
    answer = await api.patch(f"/v1/agreements/{ada.home.id}", json=ended, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    eve = await world.agree(
        meter_id=ada.home.meter_id, tariff_id=ada.home.tariff_id, start_on=make.MARCH.end_on
    )
    await world.use(make.used(ada.home.meter_id, make.MARCH.end_on))
    days = "SELECT min(day), max(day), count(*) FROM daily_usage"
    first, last, count = (await rows_of(world, ada.home.customer_id, days))[0].values()
    assert (first, last, count) == (make.MARCH.start_on, make.MARCH.end_on - timedelta(days=1), 31)
    first, last, count = (await rows_of(world, eve.customer_id, days))[0].values()
    assert (first, last, count) == (make.MARCH.end_on, make.MARCH.end_on, 1)


async def test_a_fleet_costs_what_it_costs_others_to_see(world, make, api):
    """A derived meter adds up what is at a site of somebody else; of a meter at its own site it
    sees no day that has an agreement of somebody else."""
    fleet = await Fleet(world, make, api).begin()
    tariff_id = await fleet.offer()
    elsewhere = uuid4()
    await fleet.own(elsewhere, str(uuid4()))
    parts = [await fleet.device(name, site_id=elsewhere) for name in ("Left", "Right")]
    total = await fleet.device("Sum", meter_type="derived", site_id=uuid4())
    await fleet.define(total, (None, parts, []))
    await fleet.agree(total, tariff_id)
    pump, let = await fleet.device("Pump"), await fleet.device("Let")
    lodger = await world.agree(meter_id=let, tariff_id=tariff_id, currency="ZAR")
    for number, meter_id in enumerate((*parts, pump, let), start=1):
        await fleet.use(meter_id, {10: number})
    seen = await bound_to(api, fleet.customer_id)(
        f"/v1/fleet/customers/{fleet.customer_id}/cost",
        params={"from": "2025-03-12T00:00Z", "to": "2025-03-13T00:00Z"},
    )
    unbound = await fleet.get()
    assert {own["device_name"] for own in unbound["per_device"]} >= {"Sum", "Pump"}
    assert seen.json() == unbound
    meters = {row["meter_id"] for row in await rows_of(world, fleet.customer_id, USED)}
    assert meters == {*parts, pump}
    assert [row["meter_id"] for row in await rows_of(world, lodger.customer_id, USED)] == [let]
    for table, count in (("site", 1), ("meter_definition", 1), ("meter", 5)):
        counted = f"SELECT count(*) FROM {table}"  # noqa: S608
        assert (await rows_of(world, fleet.customer_id, counted))[0]["count"] == count, table


USED = "SELECT DISTINCT meter_id FROM daily_usage"


async def rows_of(world, customer_id, sql):
    """What a bound session is shown."""
    with for_all_customers():
        bind_customer(UUID(str(customer_id)))
        return await world.rows(sql)


async def test_every_table_shows_a_bound_session_its_own_rows_or_common_ones(world, ada, bob):
    policies = await world.rows("SELECT polrelid::regclass::text AS name, polcmd FROM pg_policy"
                                " WHERE polname = 'customer'")  # fmt: skip
    assert {row["name"] for row in policies} == SHOWN | COMMON.keys()
    assert {row["polcmd"] for row in policies} == {b"r"}
    isolated = await world.rows(
        "SELECT polrelid::regclass::text AS name FROM pg_policy WHERE polname = 'tenant'"
    )
    for table in sorted(row["name"] for row in isolated):
        whole = f"SELECT t::text AS text FROM {table} t"  # noqa: S608
        every = {row["text"] for row in await world.rows(whole)}
        of_ada, of_bob, of_nobody = [
            {row["text"] for row in await rows_of(world, customer_id, whole)}
            for customer_id in (ada.home.customer_id, bob.home.customer_id, uuid4())
        ]
        if table in COMMON:
            assert of_ada == of_bob == of_nobody == every, table
        elif table in SHOWN:
            assert not of_ada & of_bob, table
            assert of_ada | of_bob == every, table
            assert not of_nobody, table
        else:
            assert not of_ada | of_bob | of_nobody, table
    assert set(METADATA.tables) <= {row["name"] for row in isolated}


async def test_a_bound_session_writes_nothing(world, ada):
    with for_all_customers():
        bind_customer(ada.home.customer_id)
        async with transaction(world.database, tenant=world.tenant) as tx:
            for table in sorted(SHOWN & {"agreement", "customer", "site"}):
                changed = f"UPDATE {table} SET version = version + 1"  # noqa: S608
                assert await tx.raw.execute(changed) == "UPDATE 0"
            assert await tx.raw.execute("DELETE FROM agreement") == "DELETE 0"
            assert await tx.raw.fetch("SELECT FROM agreement FOR UPDATE") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(world.database, tenant=world.tenant) as tx:
                await tx.raw.execute(
                    "INSERT INTO tenant_defaults (tenant_id, version) VALUES ($1, 1)", world.tenant
                )
