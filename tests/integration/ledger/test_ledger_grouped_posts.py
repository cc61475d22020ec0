"""Single POSTs that share a transaction: each is answered as if it had been alone."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

from gridtally.database import snapshot
from integration.ledger.accounts import AT, known, reconciled
from integration.ledger.properties import meter_of, problem, property_of

# Ends the connection once all is written and before anything is committed.
_KILL = """
CREATE FUNCTION kill_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER kill AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION kill_own();
"""


@asynccontextmanager
async def killed_at_commit(superuser, table):
    await superuser.execute(_KILL.format(table=table))
    yield
    await superuser.execute(f"DROP TRIGGER kill ON {table}; DROP FUNCTION kill_own")


def paid(customer, amount, **fields):
    """The body of a payment."""
    return {
        "customer_id": str(customer),
        "currency": "EUR",
        "amount": amount,
        "occurred_at": AT,
    } | fields


async def post_all(client, *requests):
    """The answers to requests that come at once: path, body, and headers where there are some."""
    return await asyncio.gather(
        *(client.post(path, json=body, headers=dict(*given)) for path, body, *given in requests)
    )


async def stored(ledger, query, *parameters):
    async with snapshot(ledger, tenant="acme") as read:
        return [tuple(row) for row in await read.raw.fetch(query, *parameters)]


async def test_payments_at_once_have_each_its_own_answer(ledger, acme):
    customers = [uuid4() for _ in range(12)]
    await known(ledger, *customers[:-2])
    unknown, same, key = customers[-2], str(uuid4()), {"Idempotency-Key": "k1"}
    await acme.post("/v1/payments", json=paid(customers[0], "1"))  # who calls is known from here on
    versions = await stored(ledger, "SELECT id, version FROM customer ORDER BY id")
    named = [{"invoice_id": same, "amount": "7"}]
    requests = [
        *(("/v1/payments", paid(customer, f"{n}.5"), {"X-Correlation-Id": f"c{n}"})
          for n, customer in enumerate(customers[:4], start=1)),
        ("/v1/payments", paid(customers[4], "1.005")),
        ("/v1/payments", paid(customers[-1], "1.005")),
        ("/v1/payments", paid(customers[5], "7", allocations=named)),
        ("/v1/payments", paid(unknown, "8")),
        ("/v1/payments", paid(customers[6], "9", id=same)),
        ("/v1/payments", paid(customers[7], "9", id=same)),
        ("/v1/payments", paid(customers[8], "10"), key),
        ("/v1/payments", paid(customers[9], "11"), key),
        ("/v1/refunds", paid(customers[9], "11", reason="closing")),
    ]  # fmt: skip
    answers = await post_all(acme, *requests)
    good = [*answers[:4], answers[7], answers[8], answers[10]]
    assert [answer.status_code for answer in good] == [201] * 7, [a.text for a in answers]
    assert len({a.json()["recorded_at"] for a in good}) < len(good), "none shared a transaction"
    for answer in good:
        read = await acme.get(answer.headers["Location"])
        assert answer.json() == read.json(), "what was not read back is what stands in the books"
    assert [a.json()["correlation_id"] for a in answers[:4]] == [f"c{n}" for n in range(1, 5)]
    assert [a.headers["X-Correlation-Id"] for a in answers[:4]] == [f"c{n}" for n in range(1, 5)]
    assert {p["account_code"] for p in answers[7].json()["postings"]} == {"cash", "suspense"}
    assert problem(answers[4]) == problem(answers[5]) == (422, "finer_than_currency")
    assert problem(answers[6])[0] == 422
    assert problem(answers[9]) in [(422, "id_taken"), (503, "unavailable")]
    assert problem(answers[11]) in [(409, "request_in_flight"), (422, "idempotency_key_reused")]
    assert problem(answers[12])[0] == 422

    after = dict(await stored(ledger, "SELECT id, version FROM customer ORDER BY id"))
    assert customers[-1] not in after, "who was refused leaves no trace"
    assert all(after.get(customers[n]) == dict(versions).get(customers[n]) for n in (4, 5, 7))
    published = "SELECT correlation_id FROM outbox WHERE topic = 'payment.recorded.v1'"
    sent = [row[0] for row in await stored(ledger, published)]
    assert {f"c{n}" for n in range(1, 5)} <= set(sent)
    assert len(sent) == 1 + len(good)

    again = await post_all(acme, requests[10], requests[8])
    assert again[0].headers["Idempotency-Replayed"] == "true"
    assert [a.json() for a in again] == [answers[10].json(), answers[8].json()]
    await reconciled(acme)


async def test_payments_of_a_customer_are_posted_in_the_order_they_came(ledger, acme):
    customer = await known(ledger)
    await acme.post("/v1/payments", json=paid(customer, "1"))
    bodies = [("/v1/payments", paid(customer, f"{n}", reference=f"{n}")) for n in range(2, 9)]
    answers = await post_all(acme, *bodies, ("/v1/refunds", paid(customer, "36", reason="r")))
    assert [answer.status_code for answer in answers] == [201] * 8, "the last finds what all paid"
    listed = (await acme.get("/v1/transactions", params={"kind": "payment"})).json()["items"]
    assert [t["reference"] for t in listed] == ["", *(f"{n}" for n in range(2, 9))]
    await reconciled(acme)


async def test_what_dies_at_its_commit_is_answered_503_and_stored_once_when_it_comes_again(
    ledger, acme, superuser
):
    customers = [uuid4() for _ in range(6)]
    await known(ledger, *customers)
    home = await property_of(acme)
    meters = [home["total"], home["sg"], *[await meter_of(acme, home, "device") for _ in range(2)]]
    payments = [
        ("/v1/payments", paid(customer, "3"), {"Idempotency-Key": f"p{n}"})
        for n, customer in enumerate(customers)
    ]
    readings = [
        (f"/v1/meters/{meter}/readings", {"value": "5", "read_at": AT}, {"Idempotency-Key": meter})
        for meter in meters
    ]
    count = "SELECT (SELECT count(*) FROM transaction), (SELECT count(*) FROM reading_entry)"
    kept = "SELECT count(*) FROM idempotency_key WHERE key LIKE 'p_' OR length(key) = 36"
    for requests, table in ((payments, "transaction"), (readings, "reading_entry")):
        before = await stored(ledger, count), await stored(ledger, kept)
        async with killed_at_commit(superuser, table):
            answers = await post_all(acme, *requests)
        assert {problem(answer) for answer in answers} == {(503, "unavailable")}
        assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
        assert (await stored(ledger, count), await stored(ledger, kept)) == before
        for headers in ({}, {"idempotency-replayed": "true"}):
            answers = await post_all(acme, *requests)
            assert {answer.status_code for answer in answers} == {201}
            assert all(headers.items() <= answer.headers.items() for answer in answers)
    assert await stored(ledger, count) == [(6, 4)]
    await reconciled(acme)


async def test_readings_at_once_have_each_its_own_answer(ledger, acme):
    home = await property_of(acme)
    meters = [home["total"], *[await meter_of(acme, home, "device") for _ in range(4)]]
    at, key = "2025-04-01T{:02}:00:00Z".format, {"Idempotency-Key": "r1"}

    def path(meter):
        return f"/v1/meters/{meter}/readings"

    requests = [
        (path(meters[0]), {"value": "10", "read_at": at(1)}, {"X-Correlation-Id": "c1"}),
        (path(meters[1]), {"value": "20", "read_at": at(1)}, {"X-Correlation-Id": "c2"}),
        (path(meters[0]), {"value": "11", "read_at": at(2)}, {"X-Correlation-Id": "c3"}),
        (path(meters[0]), {"value": "10", "read_at": at(1)}),
        (path(meters[0]), {"value": "12", "read_at": at(1)}),
        (path(uuid4()), {"value": "1", "read_at": at(1)}),
        (path(home["unmetered"]), {"value": "1", "read_at": at(1)}),
        (path(meters[2]), {"value": "1.00005", "read_at": at(1)}),
        (path(meters[3]), {"value": "1", "read_at": "2999-01-01T00:00:00Z"}),
        (path(meters[4]), {"value": "30", "read_at": at(1)}, key),
    ]
    answers = await post_all(acme, *requests)
    assert [answer.status_code for answer in answers[:4]] == [201, 201, 201, 200], answers[0].text
    assert answers[3].json()["entry_id"] == answers[0].json()["entry_id"]
    assert [problem(answer)[0] for answer in answers[4:9]] == [409, 404, 422, 422, 422]
    assert answers[0].json()["id"] in answers[4].json()["detail"]
    assert answers[9].status_code == 201
    good = [*answers[:3], answers[9]]
    for answer in good:
        shown = (await acme.get(f"/v1/readings/{answer.json()['id']}")).json()
        assert answer.json() == shown | {"warnings": []}
        assert answer.headers["ETag"] == '"1"'
    sent = await stored(
        ledger,
        "SELECT correlation_id FROM outbox WHERE topic = 'reading.recorded.v1' ORDER BY seq",
    )
    assert {"c1", "c2", "c3"} <= {row[0] for row in sent}
    assert len(sent) == len(good)
    assert await stored(
        ledger, "SELECT correlation_id FROM reading_entry WHERE correlation_id LIKE 'c_' ORDER BY 1"
    ) == [("c1",), ("c2",), ("c3",)]
    [again] = await post_all(acme, requests[9])
    assert (again.headers["Idempotency-Replayed"], again.json()) == ("true", answers[9].json())
