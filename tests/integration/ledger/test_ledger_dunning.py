"""Dunning runs on the books: notices, their fees, and that nothing is done twice."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from gridtally.contracts.accounts import TransactionRecorded
from gridtally.contracts.dunning import (
    DunningNoticeChanged,
    DunningRulesChanged,
    DunningStopChanged,
)
from gridtally.contracts.sellers import SellerChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts.handlers import dunning
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.postings import post_credit_notes
from gridtally.ledger.accounts.handlers.sellers import apply_sellers
from integration.ledger.accounts import (
    balance,
    credit_note,
    customer,
    declare,
    issue,
    known,
    pay,
    post,
    posted,
    reconciled,
    reported,
    reverse,
    states,
)
from integration.ledger.debits import came_back, came_in, collect, collect_for, read_bank, sign
from integration.ledger.test_ledger_payment_plans import agree, equal

NOW = datetime.now(UTC)
RULES = {
    "levels": [
        {"name": "Reminder", "after_days": 3, "days_to_pay": 4},
        {"name": "Demand", "after_days": 1, "days_to_pay": 5,
         "fees": [{"currency": "EUR", "amount": "5.00"}]},
        {"name": "Final notice", "after_days": 2, "days_to_pay": 7,
         "fees": [{"currency": "EUR", "amount": "10.00"}]},
    ],
    "minimums": [{"currency": "EUR", "amount": "10.00"}],
}  # fmt: skip


def day(days):
    """So many days from now."""
    return str((NOW + timedelta(days=days)).date())


async def rule(client, **changes):
    answer = await client.put("/v1/dunning-rules", json=RULES | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def advance(ledger, days=0):
    """Work on a run some days from now."""
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        return await dunning.advance_run(tx, datetime.now(UTC) + timedelta(days=days))


async def dun(ledger, client, days=0, headers=None):
    """A run of a day, to its end."""
    run = await post(client, "dunning-runs", headers=headers, on=day(days))
    while await advance(ledger, days):
        pass
    done = (await client.get(f"/v1/dunning-runs/{run['id']}")).json()
    assert (done["state"], done["on"]) == ("finished", day(days))
    return done


async def notices(client, **params):
    return (await client.get("/v1/dunning-notices", params=params)).json()["items"]


async def withdraw(client, notice, status=200, reason="goodwill"):
    return await post(client, f"dunning-notices/{notice['id']}/withdraw", status, reason=reason)


async def stop(client, who, status=200, **body):
    body = {"reason": "disputed"} | body
    answer = await client.put(f"/v1/customers/{who}/dunning-stop", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_levels_rise_with_each_run_and_their_fees_are_booked(ledger, acme):
    await rule(acme)
    who, _ = await issue(ledger, "70.00", "30.00", due_on=day(-30))
    _, [young] = await issue(ledger, "8.00", customer=who, due_on=day(-1))
    assert (await dun(ledger, acme, -20))["totals"] == [
        {"currency": "EUR", "notices": 1, "fees": "0.00"}
    ]
    second = await dun(ledger, acme, -14)
    assert second["totals"] == [{"currency": "EUR", "notices": 1, "fees": "5.00"}]
    assert (await dun(ledger, acme, -14))["totals"] == []
    assert (await dun(ledger, acme, -8))["totals"] == []  # a day too early
    third = await dun(ledger, acme)
    first, demand, final = await notices(acme, customer_id=str(who))
    assert [own["name"] for own in (first, demand, final)] == ["Reminder", "Demand", "Final notice"]
    raised = [{(item["number"], item["level"]) for item in own["items"]}
              for own in (first, demand, final)]  # fmt: skip
    assert raised == [{("INV-0", level), ("INV-1", level)} for level in (1, 2, 3)]
    assert {item["kind"] for own in (first, demand, final) for item in own["items"]} == {"invoice"}
    newest = {"sort": "-issued_at", "customer_id": str(who)}
    page = (await acme.get("/v1/dunning-notices", params=newest | {"limit": 2})).json()
    rest = await notices(acme, **newest, cursor=page["next_cursor"])
    assert page["items"] + rest == [final, demand, first]
    turned = {"cursor": page["next_cursor"], "customer_id": str(who)}
    wrong = await acme.get("/v1/dunning-notices", params=turned)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_cursor")
    money = ("others", "credit", "fee", "fee_open", "total", "pay_by")
    assert [tuple(own[name] for name in money) for own in (first, demand, final)] == [
        ("0.00", "0.00", "0.00", "0.00", "100.00", day(-16)),
        ("0.00", "0.00", "5.00", "5.00", "105.00", day(-9)),
        ("13.00", "0.00", "10.00", "10.00", "123.00", day(7)),
    ]  # fmt: skip
    assert await notices(acme, run_id=third["id"]) == [final]
    assert final == (await acme.get(f"/v1/dunning-notices/{final['id']}")).json()
    listed = (await acme.get("/v1/dunning-runs")).json()["items"]
    assert [own["id"] for own in listed][:1] == [third["id"]]
    assert len(listed) == 5

    assert await balance(acme, who) == ("123.00", "0.00", "0.00", "123.00", "113.00")
    [ageing] = (await acme.get("/v1/ageing")).json()["currencies"]
    assert (ageing["total"], ageing["overdue"]) == ("123.00", "113.00")
    assert (await states(acme, who))[f"Demand {day(-14)}"] == ("open", "5.00")
    window = {"from": day(-1000), "to": day(1), "currency": "EUR"}
    path = f"/v1/customers/{who}/statement"
    statement = (await acme.get(path, params=window)).json()
    fees = [(own["reference"], own["amount"]) for own in statement["entries"]
            if own["kind"] == "dunning_fee"]  # fmt: skip
    assert fees == [(f"Demand {day(-14)}", "5.00"), (f"Final notice {day(0)}", "10.00")]
    await posted(ledger, apply_sellers, SellerChanged(name="Stadtwerke", version=1))
    await posted(ledger, apply_customers, customer(who, name="Ada"))
    assert "Dunning fee" in (await acme.get(path, params=window | {"format": "html"})).text
    accounts = (await acme.get("/v1/accounts")).json()["items"]
    [income] = [own for own in accounts if own["code"] == "revenue:dunning_fee"]
    assert income["balance"] == "-15.00"
    await pay(acme, who, "123.00")
    assert [own["fee_open"] for own in await notices(acme)] == ["0.00"] * 3
    assert (await dun(ledger, acme, 1))["totals"] == []
    assert str(young.invoice_id) not in str(await notices(acme))
    await reconciled(acme)


async def test_a_run_that_is_cut_off_goes_on_and_repeats_nothing(ledger, acme, monkeypatch):
    monkeypatch.setattr(dunning, "CUSTOMERS_MAX", 2)
    await rule(acme, levels=RULES["levels"][1:])
    payers = [(await issue(ledger, "20.00", due_on=day(-9)))[0] for _ in range(5)]
    key = {"Idempotency-Key": "run-1"}
    run = await post(acme, "dunning-runs", headers=key)
    assert await post(acme, "dunning-runs", headers=key) == run
    assert (await post(acme, "dunning-runs", 409))["code"] == "dunning_run_going"
    assert await advance(ledger) == 2
    with pytest.raises(KeyError):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            assert await dunning.advance_run(tx, NOW) == 2
            raise KeyError  # as a process that is killed before the commit
    assert len(await notices(acme)) == 2
    assert (await acme.get(f"/v1/dunning-runs/{run['id']}")).json()["state"] == "running"
    assert [await advance(ledger) for _ in range(3)] == [2, 2, 0]
    done = await notices(acme, run_id=run["id"])
    assert {own["customer_id"] for own in done} == {str(who) for who in payers}
    assert len(done) == 5
    assert (await dun(ledger, acme))["totals"] == []
    said = await reported(ledger, DunningNoticeChanged)
    assert {str(own.notice_id) for own in said} == {own["id"] for own in done}
    booked = await reported(ledger, TransactionRecorded)
    assert [(own.kind, own.amount, str(own.due_on)) for own in booked] == [
        ("dunning_fee", Decimal(5), day(5))
    ] * 5
    assert {str(own.document_id) for own in booked} == {own["id"] for own in done}
    await reconciled(acme)


async def test_a_notice_is_withdrawn_with_its_fee_the_last_one_first(ledger, acme):
    await rule(acme, levels=RULES["levels"][1:])
    who, _ = await issue(ledger, "70.00", due_on=day(-30))
    await dun(ledger, acme, -20)
    await dun(ledger, acme)
    first, last = await notices(acme)
    assert (await withdraw(acme, first, 409))["code"] == "dunning_notice_followed"
    await pay(acme, who, "80.00")  # the invoice and the first fee, and five of the last
    gone = await withdraw(acme, last)
    assert (gone["state"], gone["withdraw_reason"], gone["fee_open"]) == (
        "withdrawn", "goodwill", "0.00",
    )  # fmt: skip
    assert (await withdraw(acme, last, 409))["code"] == "dunning_notice_withdrawn"
    assert await balance(acme, who) == ("0.00", "5.00", "0.00", "-5.00", "0.00")
    assert await notices(acme, state="withdrawn") == [gone]
    assert [own["id"] for own in await notices(acme, state="issued")] == [first["id"]]
    said = [(str(own.notice_id), own.version, own.withdraw_reason)
            for own in await reported(ledger, DunningNoticeChanged)]  # fmt: skip
    assert said == [(first["id"], 1, None), (last["id"], 1, None), (last["id"], 2, "goodwill")]
    await reconciled(acme)


async def test_a_level_that_was_withdrawn_is_reached_again_and_a_fee_alone_is_let_go(ledger, acme):
    await rule(acme, levels=RULES["levels"][1:])
    await issue(ledger, "70.00", due_on=day(-30))
    await dun(ledger, acme, -20)
    await withdraw(acme, (await notices(acme))[0], reason="mistake")
    await dun(ledger, acme, -20)
    [again] = await notices(acme, state="issued")
    assert (again["level"], again["fee_open"]) == (1, "5.00")
    [fee] = [
        own for own in (await acme.get("/v1/transactions")).json()["items"]
        if own["document_id"] == again["id"]
    ]  # fmt: skip
    await reverse(acme, fee["id"])  # the notice counts, its fee is let go
    [kept] = await notices(acme, state="issued")
    assert (kept["fee"], kept["fee_open"]) == ("5.00", "0.00")
    await dun(ledger, acme)
    assert [own["level"] for own in await notices(acme, state="issued")] == [1, 2]
    await withdraw(acme, (await notices(acme, state="issued"))[1])
    await withdraw(acme, kept)
    await reconciled(acme)


async def test_who_pays_by_a_plan_or_is_stopped_or_has_credit_is_not_dunned(ledger, acme):
    await rule(acme)
    await declare(acme, credit_allocation="manual")
    planner, bills = await issue(ledger, "70.00", due_on=day(-30))
    await agree(acme, planner, bills, **equal(2, 1))
    stopped, _ = await issue(ledger, "70.00", due_on=day(-30))
    rich, _ = await issue(ledger, "70.00", due_on=day(-30))
    await pay(acme, rich, "70.00", allocations=[])
    _, [void] = await issue(ledger, "70.00", due_on=day(-30))
    await posted(ledger, post_credit_notes, credit_note(void))
    asked, _ = await issue(ledger, "70.00", due_on=day(-30))
    assert (await stop(acme, stopped, until=day(0)))["until"] == day(0)
    await dun(ledger, acme)
    assert [own["customer_id"] for own in await notices(acme)] == [str(asked)]
    await dun(ledger, acme, 1)
    assert {own["customer_id"] for own in await notices(acme)} == {str(asked), str(stopped)}


async def test_a_stop_is_ended_and_said(ledger, acme):
    who, _ = await issue(ledger, "70.00", due_on=day(-30))
    path = f"/v1/customers/{who}/dunning-stop"
    assert (await acme.get(path)).json()["code"] == "dunning_stop_unknown"
    assert (await acme.delete(path)).status_code == 404
    kept = await stop(acme, who, reason="hardship")
    assert kept == (await acme.get(path)).json() == {
        "customer_id": str(who), "reason": "hardship", "until": None,
    }  # fmt: skip
    assert (await acme.delete(path)).status_code == 204
    assert (await acme.get(path)).status_code == 404
    await stop(acme, who, until=day(9))
    said = [(own.reason, own.version) for own in await reported(ledger, DunningStopChanged)]
    assert said == [("hardship", 1), (None, 2), ("disputed", 3)]
    assert (await stop(acme, uuid4(), 404))["code"] == "customer_unknown"


async def test_a_preview_says_page_by_page_what_a_run_does(ledger, acme):
    await rule(acme, levels=RULES["levels"][1:])
    for amount in ("20.00", "9.00", "30.00", "40.00"):  # the second is less than the least
        await issue(ledger, amount, due_on=day(-9))
    found, params = [], {"limit": 1}
    for _ in range(4):
        page = (await acme.get("/v1/dunning-runs/preview", params=params)).json()
        found += page["items"]
        params["cursor"] = page["next_cursor"]
    assert page["next_cursor"] is None
    assert await notices(acme) == []
    assert await reported(ledger, DunningNoticeChanged) == []
    await dun(ledger, acme)
    names = ("customer_id", "level", "name", "fee", "total", "pay_by", "others", "credit")
    done = [{name: own[name] for name in names} for own in await notices(acme)]
    assert len(done) == 3
    assert [{name: own[name] for name in names} for own in found] == sorted(
        done, key=lambda own: UUID(own["customer_id"])
    )


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"levels": [RULES["levels"][0] | {"after_days": 0}]}, "invalid_request",
         "#/levels/0/after_days"),
        ({"minimums": [{"currency": "EUR", "amount": "1"}] * 2}, "invalid_request", "#/minimums"),
        ({"levels": RULES["levels"] * 4}, "invalid_request", "#/levels"),
        ({"levels": [RULES["levels"][0] | {"fees": [{"currency": "JPY", "amount": "0.5"}]}]},
         "finer_than_currency", "#/levels/0/fees"),
    ],
)  # fmt: skip
async def test_rules_that_cannot_be_are_refused(ledger, acme, changes, code, pointer):
    answer = await acme.put("/v1/dunning-rules", json=RULES | changes)
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (code, pointer)
    assert await reported(ledger, DunningRulesChanged) == []


async def test_rules_are_a_tenants_own_and_nobody_is_dunned_without_any(ledger, acme, clients):
    nothing = {"levels": [], "minimums": [], "runs_daily": False}
    assert (await acme.get("/v1/dunning-rules")).json() == nothing
    assert (await post(acme, "dunning-runs", 409))["code"] == "dunning_rules_missing"
    stored = await rule(acme)
    assert stored == (await acme.get("/v1/dunning-rules")).json()
    assert stored["levels"][0]["fees"] == []
    assert stored["levels"][1:] == RULES["levels"][1:]
    other = await clients("other")
    assert (await other.get("/v1/dunning-rules")).json()["levels"] == []
    for wrong in (-32, 2):
        refused = await post(acme, "dunning-runs", 422, on=day(wrong))
        assert refused["code"] == "dunning_day_refused"
    await issue(ledger, "70.00", due_on=day(-30), tenant="other")
    await rule(other)
    await dun(ledger, acme)
    assert await notices(other) == []
    await dun(ledger, other)
    [notice] = await notices(other)
    assert await notices(acme) == []
    assert (await withdraw(acme, notice, 404))["code"] == "dunning_notice_unknown"
    versions = [own.version for own in await reported(ledger, DunningRulesChanged)]
    assert versions == [1, 1]


async def test_what_a_direct_debit_may_still_bring_is_not_dunned(ledger, acme):
    await rule(acme)
    await collect_for(acme)
    who, _ = await issue(ledger, "70.00", due_on=day(-30))
    await known(ledger, who)
    await sign(acme, who)
    batch = await collect(acme)
    await issue(ledger, "12.00", customer=who, due_on=day(-20))
    await dun(ledger, acme)
    [only] = await notices(acme)
    assert [(item["number"], item["open"]) for item in only["items"]] == [("INV-0", "12.00")]
    assert only["others"] == "0.00"
    [debit] = batch["debits"]
    await read_bank(acme, came_in(debit))
    assert (await dun(ledger, acme))["totals"] == []
    await read_bank(acme, came_back(debit))
    assert (await dun(ledger, acme))["totals"] == [
        {"currency": "EUR", "notices": 1, "fees": "0.00"}
    ]
    again = await collect(acme, returned_too=True)
    other, _ = await issue(ledger, "40.00", due_on=day(-30))
    await known(ledger, other)
    await sign(acme, other)
    cancelled = await collect(acme)
    assert (await dun(ledger, acme))["totals"] == []
    await post(acme, f"direct-debits/{cancelled['id']}/cancel", 200)
    assert len((await dun(ledger, acme))["totals"]) == 1
    assert [own["customer_id"] for own in await notices(acme)].count(str(other)) == 1
    assert sorted(own["amount"] for own in again["debits"]) == ["12.00", "70.00"]


async def test_a_notice_is_a_letter_with_the_letterhead_of_its_day(ledger, acme, clients):
    await rule(acme, levels=RULES["levels"][1:])
    who, _ = await issue(ledger, "70.00", due_on=day(-30))
    await dun(ledger, acme)
    [notice] = await notices(acme)
    path = f"/v1/dunning-notices/{notice['id']}/document"
    assert (await acme.get(path)).json()["code"] == "seller_missing"
    await posted(ledger, apply_sellers, SellerChanged(name="Stadtwerke", version=1))
    assert (await acme.get(path)).json()["code"] == "customer_unknown"
    await posted(ledger, apply_customers, customer(who, name="Ada <b>", language="de"))
    page = await acme.get(path, params={"format": "html"})
    assert "script-src" not in page.headers["Content-Security-Policy"]
    shown = re.sub(r"[\s\u00a0]+", " ", page.text)
    for said in ("Demand", "Stadtwerke", "Ada &lt;b&gt;", "INV-0", "Zu zahlen", "75,00 €"):
        assert said in shown, said
    pdf = await acme.get(path)
    assert (pdf.headers["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await acme.get(path)).content == pdf.content
    assert (await (await clients("other")).get(path)).status_code == 404


async def test_a_fee_that_the_books_refuse_keeps_nobody_else_from_a_notice(ledger, acme):
    """A payment was posted under the id that one customer's notice is to have."""
    fees = [{"currency": "EUR", "amount": "5.00"}]
    await rule(acme, levels=[{"name": "Demand", "after_days": 1, "days_to_pay": 5, "fees": fees}])
    poisoned, _ = await issue(ledger, "50.00", due_on=day(-30))
    who, _ = await issue(ledger, "70.00", due_on=day(-30))
    run = await post(acme, "dunning-runs", on=day(0))
    taken = derive_id("dunning_notice", UUID(run["id"]), poisoned, "EUR")
    await pay(acme, poisoned, "1.00", id=str(taken))
    while await advance(ledger):
        pass
    done = (await acme.get(f"/v1/dunning-runs/{run['id']}")).json()
    assert done["state"] == "finished"
    assert done["totals"] == [{"currency": "EUR", "notices": 1, "fees": "5.00"}]
    assert await notices(acme, customer_id=str(poisoned)) == []
    assert ((await balance(acme, who))[0], (await balance(acme, poisoned))[0]) == (
        "75.00", "49.00",
    )  # fmt: skip
    await reconciled(acme)
