"""Files of banks over HTTP: payments are matched, booked once, or wait for a person."""

from decimal import Decimal

from integration.ledger.accounts import issue, post, reconciled, states
from integration.ledger.properties import problem

FILE = {"Content-Type": "application/octet-stream"}
PATH = "/v1/payment-files"
HEADER = "booked_on,amount,currency,reference,payer\n"


def table(*rows):
    return (HEADER + "\n".join(rows) + "\n").encode()


async def book(client, content, *, status=200, **query):
    answer = await client.post(PATH, content=content, headers=FILE, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def counts(answer):
    return {name: answer[name] for name in ("matched", "unmatched", "present", "passed_over")}


async def unmatched(client):
    return (await client.get("/v1/unmatched-payments")).json()["items"]


async def test_a_file_is_matched_and_booked_once(ledger, acme, clients):
    ada, _ = await issue(ledger, "30", "50")
    file = table(
        "2025-05-04,50,EUR,thanks for inv 1,Ada",
        "2025-05-04,30,EUR,rent,Bob",
        "2025-05-04,12.50,EUR,rent,Bob",
    )
    tried = await book(acme, file, dry_run=True)
    expected = {"matched": 1, "unmatched": 2, "present": 0, "passed_over": 0}
    assert counts(tried) == expected
    assert await unmatched(acme) == []

    booked = await book(acme, file)
    assert counts(booked) == expected
    paid, likely, unknown = booked["payments"]
    assert (paid["state"], paid["customer_id"]) == ("matched", str(ada))
    assert [(i["number"], i["open"]) for i in paid["invoices"]] == [("INV-1", "50.00")]
    assert await states(acme, ada) == {"INV-0": ("open", "30.00"), "INV-1": ("paid", "0.00")}
    assert [i["number"] for i in likely["invoices"]] == ["INV-0"]
    assert (unknown["state"], unknown["invoices"]) == ("unmatched", [])
    listed = await unmatched(acme)
    assert {(item["id"], item["amount"], item["reference"], item["method"]) for item in listed} == {
        (likely["payment_id"], "30.00", "rent", "bank transfer of Bob"),
        (unknown["payment_id"], "12.50", "rent", "bank transfer of Bob"),
    }
    again = await book(acme, file)
    assert counts(again) == {"matched": 0, "unmatched": 0, "present": 3, "passed_over": 0}
    longer = await book(acme, file + b"2025-05-05,1,EUR,more,Bob\n")
    assert (longer["present"], longer["unmatched"]) == (3, 1)
    books = (await reconciled(acme))["EUR"]
    assert Decimal(books["unmatched"]) == Decimal("43.50")

    [suggested] = likely["invoices"]
    assignment = f"unmatched-payments/{likely['payment_id']}/assignment"
    await post(acme, assignment, customer_id=suggested["customer_id"])
    assert (await states(acme, ada))["INV-0"] == ("paid", "0.00")
    assert (await book(acme, file))["present"] == 3  # what was assigned stays so

    other = await clients("other")
    foreign = await book(other, file)
    assert counts(foreign) == expected | {"matched": 0, "unmatched": 3}
    assert [payment["invoices"] for payment in foreign["payments"]] == [[], [], []]


async def test_what_is_left_of_a_payment_pays_the_oldest(ledger, acme):
    ada, _ = await issue(ledger, "30", "50")
    await book(acme, table("2025-05-04,100,EUR,INV-1,Ada"))
    assert await states(acme, ada) == {"INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00")}


async def test_a_number_in_another_currency_is_no_match(ledger, acme):
    await issue(ledger, "30")
    answer = await book(acme, table("2025-05-04,30,USD,INV-0,Ada"))
    assert (answer["matched"], answer["payments"][0]["invoices"]) == (0, [])


async def test_files_that_cannot_be_read_book_nothing(acme):
    for content, reason in (
        (b"", "the body is empty"),
        (b"<Document/>", "is no bank statement of the kind camt.053"),
        (table("2025-05-04,5,EUR,a,b", "2999-01-01,5,EUR,a,b"), "is no day on which money came"),
    ):
        refused = await acme.post(PATH, content=content, headers=FILE)
        assert problem(refused) == (422, "file_unreadable")
        assert reason in refused.json()["detail"]
    wrong = await acme.post(PATH, json={})
    assert problem(wrong) == (415, "unsupported_media_type")
    assert await unmatched(acme) == []
