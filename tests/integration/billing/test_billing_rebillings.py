"""Agreements that were wrong when they were billed: previewed, cancelled, and billed by others."""

import asyncio
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from gridtally.billing.domain.customers import Customer
from gridtally.billing.handlers import customers
from gridtally.database import transaction
from gridtally.kernel.periods import Period
from problems import paths

CHEAP_ENERGY = {"kind": "energy", "id": "energy", "rate": "0.20"}
MARCH_TOTAL, CHEAP_MARCH = "120.98", "85.61"
"""March: 297.2 kWh at 0.30 (0.20), 12.50, and 19 %."""
FIRST = {"If-Match": '"1"'}
END = date(2025, 4, 1)


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def cheap_tariff(world, make):
    tariff_id = uuid4()
    base, _, vat = make.FLAT["components"]
    components = [base, CHEAP_ENERGY, vat]
    await world.publish(make.published(tariff_id, make.FLAT | {"components": components}))
    return tariff_id


async def march(world, make, **changes):
    """A home up to April, whose March is invoiced and whose usage is known."""
    home = await world.home(start_on=make.MARCH.start_on, end_on=END, **changes)
    await world.use(*(make.used(home.meter_id, day) for day in make.MARCH.dates()))
    await world.close(make.closed(home))
    return home


async def posted(api, home, path="", status=201, headers=FIRST, **body):
    body = {"from_on": "2025-03-01", "reason": "a wrong plan"} | body
    answer = await api.post(f"/v1/agreements/{home.id}/rebilling{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def previewed(api, home, status=200, **body):
    return await posted(api, home, "/preview", status, {}, **body)


async def invoices(api, **params):
    answer = await api.get("/v1/invoices", params=params)
    shown = ("number", "customer_id", "start_on", "end_on", "total", "state")
    return sorted(tuple(item[name] for name in shown) for item in answer.json()["items"])


async def is_right(api):
    answer = (await api.get("/v1/reconciliation")).json()
    assert answer["breaches"] == []
    return answer


async def changed(world):
    """The agreements that were published: id, tariff, first day, end and version."""
    rows = await world.rows(
        "SELECT convert_from(value, 'utf8')::json AS value FROM outbox "
        "WHERE topic = 'agreement.changed.v1' AND tenant_id = $1 ORDER BY seq",
        world.tenant,
        tenant="*",
    )
    return [(row["value"]["start_on"], row["value"]["end_on"], row["value"]["version"])
            for row in rows]  # fmt: skip


def replacing(home, made, **changes):
    """The agreement in the place of another, as ingest hears of it."""
    return replace(home, id=made["replacement_id"], **changes)


async def test_a_wrong_plan_is_credited_and_billed_by_the_right_one(api, world, make):
    home = await march(world, make)
    tariff_id = await cheap_tariff(world, make)
    body = {"replacement": {"tariff_id": str(tariff_id)}}
    preview = await previewed(api, home, **body)
    (credit,) = preview["credits"]
    assert (credit["invoice_number"], credit["total"]) == ("INV-2025-000001", MARCH_TOTAL)
    (bill,) = preview["bills"]
    assert (bill["start_on"], bill["end_on"], bill["reason"]) == ("2025-03-01", "2025-04-01", None)
    assert [line["amount"] for line in bill["bill"]["lines"]] == ["12.50", "59.44", "13.67"]
    assert bill["bill"]["total"] == CHEAP_MARCH
    assert preview["changes"] == [{
        "customer_id": str(home.customer_id), "currency": "EUR",
        "credited": MARCH_TOTAL, "billed": CHEAP_MARCH, "difference": "-35.37",
    }]  # fmt: skip

    made = await posted(api, home, **body)
    assert made["replacement_id"] == preview["replacement"]["id"] == bill["agreement_id"]
    (note,) = made["credit_notes"]
    assert (note["invoice_id"], note["total"]) == (credit["invoice_id"], MARCH_TOTAL)
    stored = (await api.get(f"/v1/credit-notes/{note['credit_note_id']}")).json()
    assert (stored["extent"], stored["reason"]) == ("whole", "a wrong plan")
    assert made["rebilled_by"]
    assert (await api.get(f"/v1/rebillings/{made['id']}")).json() == made
    assert await changed(world) == [
        ("2025-03-01", "2025-04-01", 1),
        ("2025-03-01", "2025-03-01", 2),
        ("2025-03-01", "2025-04-01", 1),
    ]
    await world.close(make.closed(replacing(home, made)))
    payer = str(home.customer_id)
    period = ("2025-03-01", "2025-04-01")
    assert await invoices(api) == [
        ("INV-2025-000001", payer, *period, MARCH_TOTAL, "void"),
        ("INV-2025-000002", payer, *period, CHEAP_MARCH, "issued"),
    ]
    await is_right(api)
    # What comes after is of the new one.
    await world.close(make.closed(replacing(home, made), revision=2, wh=90))
    assert [state for *_, state in await invoices(api)] == ["void", "void", "issued"]
    await is_right(api)


async def test_a_preview_changes_nothing(api, world, make):
    home = await march(world, make)
    tables = [
        row["relname"]
        for row in await world.rows(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname <> 'api_key' "
            "AND relnamespace = 'public'::regnamespace"
        )
    ]

    async def contents():
        counted = {}
        for name in tables:
            rows = await world.rows(f"SELECT t::text AS row FROM {name} t ORDER BY 1", tenant="*")  # noqa: S608
            counted[name] = [row["row"] for row in rows]
        return counted

    before = await contents()
    first = await previewed(api, home, replacement={"grace_hours": 5})
    assert await previewed(api, home, replacement={"grace_hours": 5}) == first
    no_grace = await previewed(api, home, replacement={"grace_hours": 0, "closing": None})
    new = no_grace["replacement"]
    assert (new["grace_hours"], new["closing"]) == (0, no_grace["agreement"]["closing"])
    assert await contents() == before


async def test_a_wrong_customer_from_the_middle_of_a_month(api, world, make):
    """Until the 15th: 5.65 of the base, 134.4 kWh, and 19 %; from then on 6.85 and 162.8 kWh."""
    home = await march(world, make)
    right = Customer(uuid4(), "Grace", None, "EUR")
    async with transaction(world.database, tenant=world.tenant) as tx:
        await customers.register_customers(tx, world.tenant, [right], make.NOW)
    body = {"from_on": "2025-03-15", "replacement": {"customer_id": str(right.id)}}
    preview = await previewed(api, home, **body)
    bills = [(b["customer_id"], b["start_on"], b["end_on"], b["bill"]["total"])
             for b in preview["bills"]]  # fmt: skip
    assert bills == [
        (str(home.customer_id), "2025-03-01", "2025-03-15", "54.70"),
        (str(right.id), "2025-03-15", "2025-04-01", "66.27"),
    ]
    assert [(c["credited"], c["billed"], c["difference"]) for c in preview["changes"]] == [
        (MARCH_TOTAL, "54.70", "-66.28"), ("0.00", "66.27", "66.27"),
    ]  # fmt: skip
    made = await posted(api, home, **body)
    assert made["withdrawn"] == ["2025-03-01"]
    first, second = Period(date(2025, 3, 1), date(2025, 3, 15)), Period(date(2025, 3, 15), END)
    new = replacing(home, made, start_on=second.start_on)
    await world.close(make.closed(home, period=first, revision=2), make.closed(new, period=second))
    assert [(payer, total, state) for _, payer, *_, total, state in await invoices(api)] == [
        (str(home.customer_id), MARCH_TOTAL, "void"),
        (str(home.customer_id), "54.70", "issued"),
        (str(right.id), "66.27", "issued"),
    ]
    await is_right(api)


async def test_what_is_on_its_way_when_an_agreement_is_cancelled_is_billed_nowhere(
    api, world, make
):
    """Ingest had closed April, and corrected March, before it heard of it."""
    home = await world.home(start_on=make.MARCH.start_on)
    await world.close(make.closed(home))
    await posted(api, home)
    april = Period(END, date(2025, 5, 1))
    await world.close(make.closed(home, revision=2, wh=90), make.closed(home, period=april))
    assert await world.held() == []
    assert [state for *_, state in await invoices(api)] == ["void"]
    assert (await is_right(api))["periods"] == 0


async def test_a_period_that_is_cut_waits_for_what_is_left_of_it(api, world, make):
    home = await march(world, make)
    await posted(api, home, from_on="2025-03-15")
    await world.close(make.closed(home, revision=2, wh=90))  # which was on its way
    assert [row["reason"] for row in await world.held()] == ["agreement_differs"]
    first = Period(date(2025, 3, 1), date(2025, 3, 15))
    await world.close(make.closed(home, period=first, revision=3))
    assert await world.held() == []
    assert [total for *_, total, _ in await invoices(api, state="issued")] == ["54.70"]
    await is_right(api)


async def test_drafts_and_held_periods_are_withdrawn_and_not_credited(api, world, make):
    await api.put("/v1/invoicing-terms", json={"approval": "required"})
    home = await march(world, make)
    (draft,) = (await api.get("/v1/invoice-drafts")).json()["items"]
    await api.post(f"/v1/invoice-drafts/{draft['id']}/approve")
    preview = await previewed(api, home)
    assert (preview["credits"], preview["withdrawn"]) == ([], ["2025-03-01"])
    made = await posted(api, home)
    assert (made["credit_notes"], made["replacement_id"]) == ([], None)
    await world.retry_all()
    assert (await api.get("/v1/invoice-drafts")).json()["items"] == []
    assert (await world.held(), await invoices(api)) == ([], [])
    await is_right(api)


async def test_what_was_credited_in_part_is_credited_for_the_rest(api, world, make):
    home = await march(world, make)
    (invoice,) = (await api.get("/v1/invoices")).json()["items"]
    part = {"reason": "goodwill", "amount": "20.98"}
    await api.post(f"/v1/invoices/{invoice['id']}/credit-notes", json=part)
    preview = await previewed(api, home)
    assert [credit["total"] for credit in preview["credits"]] == ["100.00"]
    made = await posted(api, home)
    assert [note["total"] for note in made["credit_notes"]] == ["100.00"]
    await is_right(api)


async def test_a_wrong_day_is_put_right_in_both_directions(api, world, make):
    """It began on the 1st, and not on the 10th; then it turns out to have been the 20th: 4.84 of
    the base, 114.8 kWh, and 19 %."""
    home = await world.home(start_on=date(2025, 3, 10), end_on=END)
    late = Period(date(2025, 3, 10), END)
    await world.close(make.closed(home, period=late))
    made = await posted(api, home, from_on="2025-03-10", replacement={"start_on": "2025-03-01"})
    new = replacing(home, made, start_on=date(2025, 3, 1))
    await world.close(make.closed(new))
    assert [total for *_, total, _ in await invoices(api, state="issued")] == [MARCH_TOTAL]
    again = await posted(api, new, replacement={"start_on": "2025-03-20"})
    last = replacing(new, again, start_on=date(2025, 3, 20))
    await world.close(make.closed(last, period=Period(date(2025, 3, 20), END)))
    listed = await invoices(api, state="issued")
    assert [(start_on, total) for _, _, start_on, _, total, _ in listed] == [
        ("2025-03-20", "46.74")
    ]
    await is_right(api)
    by_agreement = (await api.get("/v1/rebillings", params={"agreement_id": str(new.id)})).json()
    assert [item["id"] for item in by_agreement["items"]] == [again["id"]]
    assert len((await api.get("/v1/rebillings")).json()["items"]) == 2


async def test_another_meter_and_calendar(api, world, make):
    home = await march(world, make)
    other = uuid4()
    await world.register(make.registered(other))
    calendar = {"months": 1, "anchor_month": 1, "start_day": 15}
    body = {"replacement": {"meter_id": str(other), "billing_calendar": calendar}}
    preview = await previewed(api, home, **body)
    shown = [(bill["meter_id"], bill["start_on"], bill["end_on"], bill["reason"])
             for bill in preview["bills"]]  # fmt: skip
    assert shown == [
        (str(other), "2025-03-01", "2025-03-15", "no_usage_yet"),
        (str(other), "2025-03-15", "2025-04-01", "no_usage_yet"),
    ]
    await posted(api, home, **body)
    (new,) = (await api.get("/v1/agreements", params={"meter_id": str(other)})).json()["items"]
    assert new["billing_calendar"]["start_day"] == 15
    await is_right(api)


async def test_the_same_again_is_billed_by_a_version_that_came_after_the_invoice(api, world, make):
    home = await march(world, make)
    base, _, vat = make.FLAT["components"]
    right = make.FLAT | {"components": [base, CHEAP_ENERGY, vat]}
    await world.publish(make.published(home.tariff_id, right, number=2))
    preview = await previewed(api, home, replacement={})
    assert [bill["bill"]["total"] for bill in preview["bills"]] == [CHEAP_MARCH]
    made = await posted(api, home, replacement={})
    await world.close(make.closed(replacing(home, made)))
    shown = [(total, state) for *_, total, state in await invoices(api)]
    assert shown == [(MARCH_TOTAL, "void"), (CHEAP_MARCH, "issued")]
    again = await posted(api, home, status=422, headers={"If-Match": '"2"'}, replacement={})
    assert again["code"] == "agreement_ended"
    await is_right(api)


async def test_days_are_priced_by_the_agreement_that_is_right(api, world, make):
    home = await march(world, make)
    tariff_id = await cheap_tariff(world, make)
    made = await posted(api, home, from_on="2025-03-31", replacement={"tariff_id": str(tariff_id)})
    await world.apply_agreements(
        replace(home, end_on=date(2025, 3, 31), version=2),
        replacing(home, made, start_on=date(2025, 3, 31), tariff_id=tariff_id),
    )
    while await world.price_due():
        pass
    costs = await world.rows("SELECT day, net FROM daily_cost ORDER BY day")
    assert [str(row["net"]) for row in costs[-3:]] == ["2.88", "2.76", "1.92"]


REFUSED = [
    ({"from_on": "2025-04-01"}, 422, "agreement_ended"),
    ({"replacement": {"end_on": "2025-03-01"}}, 422, "invalid_agreement"),
    ({"replacement": {"end_on": "2025-02-01"}}, 422, "invalid_agreement"),
    ({"replacement": {"customer_id": str(uuid4())}}, 422, "customer_missing"),
    ({"replacement": {"meter_id": str(uuid4())}}, 422, "meter_missing"),
    ({"replacement": {"tariff_id": str(uuid4())}}, 422, "tariff_missing"),
    ({"replacement": {"billing_calendar": {"read_cycle": "none"}}}, 422, "read_cycle_unknown"),
    ({"reason": ""}, 422, "invalid_request"),
    ({"replacement": {"version": 3}}, 422, "invalid_request"),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
async def test_what_cannot_be_is_refused_in_preview_and_in_earnest(
    api, world, make, body, status, code
):
    home = await march(world, make)
    for path in ("/preview", ""):
        problem = await posted(api, home, path, status, **body)
        assert problem["code"] == code, path
    assert [state for *_, state in await invoices(api)] == ["issued"]
    assert len(await changed(world)) == 1


async def test_a_fault_points_into_the_replacement(api, world, make):
    problem = await posted(api, await march(world, make), status=422,
                           replacement={"meter_id": str(uuid4())})  # fmt: skip
    assert paths(problem) == ["/replacement/meter_id"]


async def test_a_meter_that_has_another_agreement_is_in_the_way(api, world, make):
    home, neighbour = await march(world, make), await march(world, make)
    problem = await posted(api, home, status=409, replacement={"meter_id": str(neighbour.meter_id)})
    assert problem["code"] == "agreement_overlap"
    assert [state for *_, state in await invoices(api)] == ["issued", "issued"]


async def test_the_same_again_does_nothing_more(api, world, make):
    home = await march(world, make)
    tariff_id = await cheap_tariff(world, make)
    body = {"replacement": {"tariff_id": str(tariff_id)}}
    keyed = FIRST | {"Idempotency-Key": "once"}
    made = await posted(api, home, headers=keyed, **body)
    assert await posted(api, home, headers=keyed, **body) == made
    assert (await posted(api, home, status=412, **body))["code"] == "version_moved"
    again = await posted(api, home, status=422, headers={"If-Match": '"2"'}, **body)
    assert again["code"] == "agreement_ended"
    assert (await posted(api, home, status=428, headers={}, **body))["code"] == "version_required"
    assert len((await api.get("/v1/credit-notes")).json()["items"]) == 1


async def test_only_the_first_of_those_at_once_is_done(api, world, make):
    home = await march(world, make)
    body = {"from_on": "2025-03-01", "reason": "all at once"}
    path = f"/v1/agreements/{home.id}/rebilling"
    answers = await asyncio.gather(*(api.post(path, json=body, headers=FIRST) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412]
    await is_right(api)


async def test_another_tenants_agreement_meter_and_tariff_are_not_there(api, clients, world, make):
    home = await march(world, make)
    thief = await clients("another", "billing:read", "billing:write")
    for path in ("/preview", ""):
        assert (await posted(thief, home, path, 404))["code"] == "agreement_unknown"
    made = await posted(api, home)
    assert (await thief.get(f"/v1/rebillings/{made['id']}")).json()["code"] == "rebilling_unknown"
    assert (await thief.get("/v1/rebillings")).json()["items"] == []
    other = world.another()
    foreign = await other.home(start_on=make.MARCH.start_on, end_on=END)
    own = await march(world, make)
    for changes in ({"meter_id": str(foreign.meter_id)}, {"tariff_id": str(foreign.tariff_id)}):
        problem = await posted(api, own, status=422, replacement=changes)
        assert problem["code"] in {"meter_missing", "tariff_missing"}
    reader = await clients(world.tenant, "billing:read")
    for path in ("/preview", ""):
        await posted(reader, own, path, 403)


async def test_a_section_of_a_collective_invoice_is_not_credited_apart(api, world, make):
    home = await world.home(start_on=make.MARCH.start_on, end_on=END)
    path = f"/v1/customers/{home.customer_id}"
    answer = await api.patch(path, json={"invoicing": "collective"}, headers=FIRST)
    assert answer.status_code == 200, answer.text
    await world.close(make.closed(home))
    waiting = await previewed(api, home)
    assert (waiting["credits"], waiting["withdrawn"]) == ([], ["2025-03-01"])
    await world.issue_collective()
    for route in ("/preview", ""):
        problem = await posted(api, home, route, 409)
        assert problem["code"] == "section_of_invoice"
    await is_right(api)
