"""What is another tenant's is as if it had never been, whatever operation asks for it."""

import re
from datetime import timedelta
from uuid import uuid4

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.metering import Channel, MeterRegistered, PropertyChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.http.context import utc_now
from gridtally.ingest.events.blocks import received_blocks
from gridtally.ingest.handlers.agreements import apply_agreements
from gridtally.ingest.handlers.alerts import check_due_meters
from gridtally.ingest.handlers.meters import apply_meters
from gridtally.ingest.handlers.periods import plan_periods
from gridtally.ledger.accounts.handlers.dunning import advance_run
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.simulation.handlers.reference_data import apply_properties
from integration.ingest.conftest import block, message
from integration.ledger.accounts import invoice, posted, with_lines

DAYS = {"from": "2025-01-01", "to": "2025-01-02"}
INSTANTS = {"from": "2025-01-01T00:00:00Z", "to": "2025-01-02T00:00:00Z"}
REQUIRED = {
    "/v1/meters/{meter_id}/daily-costs": DAYS,
    "/v1/meters/{meter_id}/series": INSTANTS | {"by": "day"},
    "/v1/meters/{meter_id}/value": {"at": "2025-01-01T00:00:00Z"},
    "/v1/properties/{property_id}/consumption": INSTANTS,
    "/v1/properties/{property_id}/consumption/table": INSTANTS,
    "/v1/properties/{property_id}/consumption/export": INSTANTS,
    "/v1/properties/{property_id}/conservation": INSTANTS,
    "/v1/customers/{customer_id}/prepayment/days": DAYS,
    "/v1/customers/{customer_id}/bills": {"start": "2025-01-01", "end": "2025-02-01"},
    "/v1/fleet/customers/{customer_id}/cost": INSTANTS,
    "/v1/fleet/customers/{customer_id}/cost/export": INSTANTS | {"by": "day"},
    "/v1/fleet/customers/{customer_id}/cost/hours-without-tariff": INSTANTS,
    "/v1/customers/{customer_id}/statement": INSTANTS | {"currency": "EUR"},
    "/v1/calendars/{calendar_id}/days": DAYS | {"number": "1"},
    "/v1/price-series/{series_id}/prices": DAYS,
    "/v1/price-series/{series_id}/gaps": DAYS,
    "/v1/tariffs/{tariff_id}/versions/in-force": {"on": "2025-01-01"},
}
"""What a GET cannot do without, in the query."""
REQUIRED_OF_INGEST = {
    "/v1/meters/{meter_id}/series": DAYS | {"flow": "import"},
    "/v1/meters/{meter_id}/completeness": DAYS,
    "/v1/meters/{meter_id}/register-sums": DAYS | {"flow": "import"},
    "/v1/readings/stream": {"last_event_id": "none"},
}
"""The same where another service has an operation of the same path."""
NO_ALSO_TO_ITS_OWNER = {
    "bill", "bills", "conservation", "definitions", "document", "in-force", "preview",
    "profile.csv", "profiles.zip", "{house_node_id}", "{calculation_id}",
}  # fmt: skip
"""Asks for properties below, a derived meter, an issued invoice, a letterhead, a version in force,
usage, or what a run that was started has, which the tests have not."""
OF_A_COMPLETE_COMPARISON = {
    f"/v1/simulation-comparisons/{{comparison_id}}/{table}/export"
    for table in ("houses", "revenue")
}
"""Refused to its owner too, since the comparison of these tests was not started."""
STREAMS = {"/v1/readings/stream"}
"""Has no end, and tests of its own."""
SELLER = "/v1/seller"
"""A resource of which each tenant has one, or none yet."""
DOCUMENT = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [{"kind": "energy", "id": "energy", "rate": "0.3"}],
}
USAGE = {"start": "2025-01-01T00:00", "minutes": 60, "values": {"import": ["1"] * 24}}
VERSION = {"effective_from": "2025-01-01", "document": DOCUMENT}
NET = {"type": "SIMPLE_NET", "retail_price_per_kwh": "1"}
RUN = {"billing_cycle_month": 1, "billing_cycle_year": 2025, "policy": NET}
EQUAL = {"count": 2, "first_due_on": f"{utc_now().date() + timedelta(days=1)}"}
NAMED, CODED = {"name": "Mine"}, {"code": "mine", "name": "Mine"}
COMPARISON = {
    "name": "Mine", "billing_cycle_month": 1, "billing_cycle_year": 2025,
    "topology_root_node_id": str(uuid4()),
    "scenarios": [{"label": label, "policy": NET} for label in ("today", "draft")],
}  # fmt: skip
BILLING_RUN = {"start_on": "2025-01-01", "end_on": "2025-02-01"}
READ_TOTAL = {"items": [{"meter_type": "total", "value": "1"}]}
READ_OWN = {"items": [{"meter_id": str(uuid4()), "value": "1"}]}
REBILLING = {"from_on": "2025-01-01", "reason": "mine"}
MANDATE = {
    "mandate_id": "M-1", "signed_on": f"{utc_now().date()}", "iban": "DE02120300000000202051",
    "holder": "Ada",
}  # fmt: skip
CREDITOR = {"creditor_id": "DE98ZZZ09999999999", "name": "Mine", "iban": MANDATE["iban"]}
COLLECTED = {
    "due_through": f"{utc_now().date()}",
    "collection_on": f"{utc_now().date() + timedelta(days=5)}",
}
BODIES = {
    "patch /v1/agreements/{agreement_id}": {"grace_hours": 1},
    "post /v1/agreements/{agreement_id}/preview": {},
    "post /v1/agreements/{agreement_id}/rebilling": REBILLING,
    "post /v1/agreements/{agreement_id}/rebilling/preview": REBILLING,
    "patch /v1/customers/{customer_id}": NAMED,
    "put /v1/customers/{customer_id}": NAMED | {"currency": "EUR"},
    "post /v1/customers/{customer_id}/erase": {"reason": "mine"},
    "post /v1/customers/{customer_id}/merge": {"into": str(uuid4()), "reason": "mine"},
    "post /v1/customers/{customer_id}/merge/preview": {"into": str(uuid4()), "reason": "mine"},
    "put /v1/customers/{customer_id}/prepayment": {"alert_days": 3},
    "post /v1/held-invoices/{agreement_id}/{start_on}/dismiss": {"reason": "mine"},
    "post /v1/invoice-drafts/{draft_id}/reject": {"reason": "mine"},
    "post /v1/billing-runs/{run_id}/approve": {"digest": "0" * 64},
    "post /v1/alerts/{alert_id}/acknowledge": {"note": "mine"},
    "post /v1/invoices/{invoice_id}/credit-notes": {"reason": "mine", "amount": "1"},
    "patch /v1/properties/{property_id}": NAMED,
    "put /v1/properties/{property_id}": NAMED | {"zone": "Europe/Berlin"},
    "post /v1/properties/{property_id}/meters": NAMED | {"meter_type": "sub"},
    "post /v1/properties/{property_id}/readings": READ_TOTAL,
    "patch /v1/meters/{meter_id}": NAMED,
    "put /v1/meters/{meter_id}": NAMED,
    "post /v1/meters/{meter_id}/readings": {"value": "1"},
    "post /v1/meters/{meter_id}/exchanges": {"final_value": "1", "initial_value": "0"},
    "post /v1/meters/{meter_id}/definitions": {
        "from_on": "2025-01-01",
        "terms": [{"sign": 1, "meter_id": str(uuid4()), "flow": "import"}],
    },
    "patch /v1/users/{user_id}": NAMED,
    "put /v1/users/{user_id}": NAMED | {"email": "m@example.org", "property_id": str(uuid4())},
    "put /v1/users/{user_id}/default-meter": {"meter_id": None},
    "put /v1/readings/{reading_id}": {"value": "1", "read_at": "2025-01-01T00:00:00Z"},
    "post /v1/transactions/{transaction_id}/reversal": {"reason": "mine"},
    "post /v1/budget-plans/{budget_plan_id}/amount": {"amount": "9.00", "from_on": "2199-01-01"},
    "post /v1/budget-plans/{budget_plan_id}/end": {"end_on": "2199-01-01"},
    "post /v1/payment-plans/{plan_id}/cancel": {"reason": "mistake"},
    "post /v1/dunning-notices/{notice_id}/withdraw": {"reason": "mistake"},
    "put /v1/customers/{customer_id}/dunning-stop": {"reason": "other"},
    "put /v1/customers/{customer_id}/mandate": MANDATE,
    "post /v1/customers/{customer_id}/readings": READ_OWN,
    "post /v1/payees/{payee_id}/settlements": {"amount": "1.00"},
    "patch /v1/regions/{region_id}": NAMED,
    "patch /v1/tariffs/{tariff_id}": NAMED,
    "post /v1/tariffs/{tariff_id}/versions": VERSION,
    "post /v1/tariffs/{tariff_id}/versions/validate": VERSION,
    "post /v1/tariffs/{tariff_id}/versions/import": {
        "effective_from": "2025-01-01",
        "portal_tariff": {"components": [{"id": "energy", "rate_schedule": [{"value": 30}]}]},
    },
    "put /v1/tariffs/{tariff_id}/versions/{number}": VERSION,
    "patch /v1/tariffs/{tariff_id}/versions/{number}": {"note": "mine"},
    "post /v1/tariffs/{tariff_id}/versions/{number}/withdraw": {"reason": "mine"},
    "post /v1/tariffs/{tariff_id}/versions/{number}/quote": {"usage": USAGE},
    "patch /v1/calendars/{calendar_id}": NAMED,
    "post /v1/calendars/{calendar_id}/versions": {"document": {}},
    "put /v1/calendars/{calendar_id}/versions/{number}": {"document": {}},
    "patch /v1/price-series/{series_id}": NAMED,
    "post /v1/price-series/{series_id}/prices": {"items": []},
    "put /v1/simulation-policies/{policy_id}": NAMED | {"policy": NET},
    "patch /v1/simulation-policies/{policy_id}": NAMED,
    "put /v1/simulation-runs/{run_id}": NAMED | RUN | {"topology_root_node_id": str(uuid4())},
    "patch /v1/simulation-runs/{run_id}": NAMED,
    "put /v1/simulation-comparisons/{comparison_id}": COMPARISON,
    "put /v1/house-profiles/{house_node_id}": {},
}
"""What operations take, so that it is the id that they refuse."""


async def made(client, path, body):
    answer = await client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def furnish(app, client):
    """Resources of a tenant's own, by the parameters that name them."""
    match app.title:
        case "ingest":
            return await furnish_ingest(app, client)
        case "billing":
            payer = await made(client, "/v1/customers", {"name": "Ada", "currency": "EUR"})
            ids = {"customer_id": payer["id"], "meter_id": str(uuid4())}
            asked = ids | {"tariff_id": str(uuid4()), "start_on": "2025-01-01"}
            agreement = await made(client, "/v1/agreements", asked)
            await client.put("/v1/invoicing-terms", json={"approval": "required"})
            prepaid = await client.put(f"/v1/customers/{payer['id']}/prepayment", json={})
            assert prepaid.status_code == 200, prepaid.text
            run = await made(client, "/v1/billing-runs", NAMED | BILLING_RUN)
            return ids | {
                "agreement_id": agreement["id"],
                "start_on": asked["start_on"],
                "run_id": run["id"],
            }
        case "ledger":
            return await furnish_ledger(app, client)
        case "simulation":
            return await furnish_simulation(app, client)
        case _:
            zoned = {"currency": "EUR", "zone": "Europe/Berlin"}
            home = await made(client, "/v1/tariffs", CODED | zoned)
            region = CODED | {"kind": "municipality", "zone": "Europe/Berlin"}
            calendar = await made(client, "/v1/calendars", CODED)
            series = await made(client, "/v1/price-series", CODED | zoned | {"minutes": 60})
            await made(client, f"/v1/tariffs/{home['id']}/versions", VERSION)
            await made(client, f"/v1/calendars/{calendar['id']}/versions", {"document": {}})
            return {
                "tariff_id": home["id"],
                "region_id": (await made(client, "/v1/regions", region))["id"],
                "calendar_id": calendar["id"],
                "series_id": series["id"],
                "number": "1",
            }


async def furnish_ledger(app, client):
    """A property with what it has, a payment, an invoice with its payee and plan, and dunning."""
    home = await made(client, "/v1/properties", {"name": "Home", "zone": "Europe/Berlin"})
    meter = next(meter["id"] for meter in home["meters"] if meter["meter_type"] == "total")
    ids = {"property_id": home["id"], "meter_id": meter}
    read = {"value": "7", "read_at": "2025-01-01T00:00:00Z"}
    reading = await made(client, f"/v1/meters/{meter}/readings", read)
    person = {"name": "Ada", "email": "ada@example.org", "property_id": home["id"]}
    paid = {"customer_id": str(uuid4()), "currency": "EUR", "amount": "10.00"}
    booked = await made(client, "/v1/payments", paid)
    owed = with_lines(invoice(1), ("energy", "10.00", "Grid"))
    await posted(app.state.database, post_invoices, owed, tenant="north")
    (payee,) = (await client.get("/v1/payees")).json()["items"]
    planned = {
        "customer_id": str(owed.customer_id), "currency": "EUR",
        "invoice_ids": [str(owed.invoice_id)], "equal": EQUAL,
    }  # fmt: skip
    level = {
        "customer_id": str(owed.customer_id), "currency": "EUR", "amount": "90.00",
        "start_on": str(utc_now().date()),
    }  # fmt: skip
    accounts = (await client.get("/v1/accounts")).json()["items"]
    dunned = await furnish_dunning(app, client, owed.customer_id)
    collected = await furnish_debits(client, owed.customer_id)
    return (
        ids
        | dunned
        | collected
        | {
            "reading_id": reading["id"],
            "user_id": (await made(client, "/v1/users", person))["id"],
            "transaction_id": booked["id"],
            "account_id": accounts[0]["id"],
            "payee_id": payee["id"],
            "budget_plan_id": (await made(client, "/v1/budget-plans", level))["id"],
            "plan_id": (await made(client, "/v1/payment-plans", planned))["id"],
        }
    )


async def furnish_dunning(app, client, customer_id):
    """A notice, its run, and a stop for whom it is."""
    level = {"name": "Reminder", "after_days": 1, "days_to_pay": 1}
    answer = await client.put("/v1/dunning-rules", json={"levels": [level]})
    assert answer.status_code == 200, answer.text
    late = invoice(2, customer=customer_id)
    await posted(app.state.database, post_invoices, late, tenant="north")
    run = await made(client, "/v1/dunning-runs", {})
    async with transaction(app.state.database, tenant=ALL_TENANTS) as tx:
        await advance_run(tx, utc_now())
    [notice] = (await client.get("/v1/dunning-notices")).json()["items"]
    ids = {"customer_id": str(customer_id)}
    path = f"/v1/customers/{customer_id}/dunning-stop"
    answer = await client.put(path, json={"reason": "other"})
    assert answer.status_code == 200, answer.text
    return ids | {"run_id": run["id"], "notice_id": notice["id"]}


async def furnish_debits(client, customer_id):
    """A batch of what the customer owes, by a mandate."""
    for path, body in (
        (f"/v1/customers/{customer_id}/mandate", MANDATE),
        ("/v1/direct-debit-settings", CREDITOR),
    ):
        assert (await client.put(path, json=body)).status_code == 200
    return {"batch_id": (await made(client, "/v1/direct-debits", COLLECTED))["id"]}


async def furnish_simulation(app, client):
    """A run, a policy, and a profile of a house, which comes as an event."""
    house_id = str(uuid4())
    house = PropertyChanged(property_id=house_id, name="Mine", zone="Europe/Berlin", version=1)
    async with transaction(app.state.database, tenant=ALL_TENANTS) as tx:
        await apply_properties(tx, [message(house, "north")])
    run = NAMED | RUN | {"topology_root_node_id": house_id}
    named = await made(client, "/v1/simulation-policies", NAMED | {"policy": NET})
    answer = await client.put(f"/v1/house-profiles/{house_id}", json={"kwp": "1"})
    assert answer.status_code == 200, answer.text
    return {
        "run_id": (await made(client, "/v1/simulation-runs", run))["id"],
        "policy_id": named["id"],
        "house_node_id": house_id,
        "comparison_id": (await made(client, "/v1/simulation-comparisons", COMPARISON))["id"],
    }


async def furnish_ingest(app, client):
    """Ingest's resources come as events: a meter, an agreement with a period, a refused block
    besides a stored one, and an alert."""
    ids = {"meter_id": str(uuid4()), "agreement_id": str(uuid4())}
    channel = Channel(flow="import", minutes=60, interval_wh_max=10)
    meter = MeterRegistered(
        meter_id=ids["meter_id"], property_id=uuid4(), meter_type="main", name="Mine",
        zone="Europe/Berlin", channels=[channel], version=1,
    )  # fmt: skip
    agreement = AgreementChanged(
        agreement_id=ids["agreement_id"], customer_id=uuid4(), meter_id=ids["meter_id"],
        tariff_id=uuid4(), start_on="2025-01-01", end_on="2025-02-01", version=1,
    )  # fmt: skip
    now = utc_now()
    async with transaction(app.state.database, tenant=ALL_TENANTS) as tx:
        await apply_meters(tx, [message(meter, "north")], now)
        await apply_agreements(tx, [message(agreement, "north")])
        await plan_periods(tx, app.state.archive, now)
        blocks = [
            block(ids["meter_id"], "2024-12-31T23:00:00Z", [value], minutes=60, tenant="north")
            for value in (1, 11)
        ]
        await app.state.recorder.record(tx, received_blocks(blocks), now)
    missing = {"settings": [{"kind": "missing_readings", "action": "raise"}]}
    assert (await client.put("/v1/alert-rules", json=missing)).status_code == 200
    async with transaction(app.state.database, tenant=ALL_TENANTS) as tx:
        assert await check_due_meters(tx, utc_now())
    [alert] = (await client.get("/v1/alerts")).json()["items"]
    [refused] = (await client.get("/v1/quarantine")).json()["items"]
    return ids | {
        "quarantine_id": refused["id"], "start_on": "2025-01-01", "alert_id": alert["id"]
    }  # fmt: skip


def operations(app):
    """Method, path, and the parameters that name things, of all that tenants may do."""
    for path, item in app.openapi()["paths"].items():
        if path.startswith("/v1/") and not path.startswith("/v1/keys"):
            for method in item:
                yield method, path, re.findall(r"{(\w+)}", path)


def required_of(client, path):
    """What a GET of the client's service cannot do without."""
    own = REQUIRED_OF_INGEST if client._transport.app.title == "ingest" else {}
    return own.get(path, REQUIRED.get(path))


async def ask(client, method, path, ids):
    """The answer, and what it says but for the ids that were asked for."""
    answer = await client.request(
        method,
        path.format_map(ids),
        params=required_of(client, path) if method == "get" else None,
        json=BODIES.get(f"{method} {path}"),
        headers={"If-Match": "*"},
    )
    said = re.sub(r'"correlation_id":"[^"]*"', "", answer.text)
    for name, value in ids.items():
        said = said.replace(value, name) if name.endswith("_id") else said
    return answer, said


async def test_what_is_anothers_is_as_if_it_had_never_been(app, clients_of):
    clients = clients_of(app, app.state.database)
    owner, other_tenant = await clients("north"), await clients("south")
    ids = await furnish(app, owner)
    nobodys = {name: str(uuid4()) if name.endswith("_id") else ids[name] for name in ids}
    named = [(m, path) for m, path, names in operations(app) if names and set(names) <= ids.keys()]
    before = {path: await ask(owner, m, path, ids) for m, path in named if m == "get"}
    no = {
        path.rpartition("/")[2]: said
        for path, (a, said) in before.items()
        if a.is_error and path not in OF_A_COMPLETE_COMPARISON
    }
    assert no.keys() <= NO_ALSO_TO_ITS_OWNER, no
    wrong = []
    for method, path in named:
        answer, said = await ask(other_tenant, method, path, ids)
        _, of_nobodys = await ask(other_tenant, method, path, nobodys)
        is_unknown = answer.status_code == 404 or (method == "get" and answer.is_success)
        if said != of_nobodys or not is_unknown:
            wrong.append((method, path, said))
    assert wrong == []
    for path, (_, said) in before.items():
        assert (await ask(owner, "get", path, ids))[1] == said, path


async def test_no_list_shows_what_is_anothers(app, clients_of):
    clients = clients_of(app, app.state.database)
    owner, other_tenant = await clients("north"), await clients("south")
    ids = {k: v for k, v in (await furnish(app, owner)).items() if k.endswith("_id")}
    lists = [
        path
        for method, path, names in operations(app)
        if method == "get" and not names and path not in STREAMS
    ]
    shown = "".join([(await owner.get(path)).text for path in lists])
    assert [name for name, value in ids.items() if value not in shown] in ([], ["meter_id"])
    for path in lists:
        for query in ({}, *({name: value} for name, value in ids.items())):
            answer = await other_tenant.get(path, params=query)
            has_none = path == SELLER and answer.status_code == 404
            assert answer.status_code in (200, 422) or has_none, (path, answer.text)
            assert not [value for value in ids.values() if value in answer.text], (path, query)
