"""The same call again, and calls at the same time that cannot both be right."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.kernel.resources import Cause
from gridtally.ledger.loops import loops
from gridtally.ledger.metering.readings.domain.readings import ReadingContent
from gridtally.ledger.metering.readings.handlers.exchanges import exchange_meter
from gridtally.ledger.metering.readings.handlers.readings import ReadingRequest
from gridtally.ledger.registry.domain.meters import Register
from gridtally.messaging import Progress
from integration.ledger.accounts import AT, issue, pay, reconciled
from integration.ledger.processes import process_of
from integration.ledger.properties import HOME, problem
from integration.locks import somebody_waits

MARCH, APRIL, MAY = "2025-03-01T06:00:00Z", "2025-04-01T06:00:00Z", "2025-05-01T06:00:00Z"


async def test_what_comes_again_with_its_key_is_done_once(acme, home, ledger):
    customer, _ = await issue(ledger, "100")
    paid = await pay(acme, customer, "40")
    exchange = {"final_value": "9", "initial_value": "0", "read_at": APRIL}
    for path, body in (
        (f"properties/{home['id']}/readings", {"items": [{"meter_type": "gg", "value": "7"}]}),
        (f"meters/{home['total']}/exchanges", exchange),
        (f"transactions/{paid['id']}/reversal", {"reason": "bounced", "occurred_at": AT}),
    ):
        key = {"Idempotency-Key": str(uuid4())}
        first = await acme.post(f"/v1/{path}", json=body, headers=key)
        assert first.status_code == 201, first.text
        again = await acme.post(f"/v1/{path}", json=body, headers=key)
        assert (again.status_code, again.content) == (201, first.content), path
        assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await acme.get("/v1/readings")).json()["items"]) == 3
    await reconciled(acme)


async def test_of_many_who_want_one_moment_of_a_register_one_gets_it(acme, home):
    """New readings, corrections that move to that moment, and an exchange then."""
    path = f"/v1/meters/{home['total']}/readings"
    moved = [
        (await acme.post(path, json={"value": f"{n}", "read_at": f"2025-03-0{n}T06:00:00Z"})).json()
        for n in (1, 2, 3)
    ]
    wanted = [
        *(acme.post(path, json={"value": f"{n}", "read_at": APRIL}) for n in (11, 12, 13)),
        *(
            acme.put(f"/v1/readings/{reading['id']}", json={"value": f"{n}", "read_at": APRIL})
            for n, reading in enumerate(moved, start=21)
        ),
        acme.post(
            f"/v1/meters/{home['total']}/exchanges",
            json={"final_value": "31", "initial_value": "0", "read_at": APRIL},
        ),
    ]
    answers = await asyncio.gather(*wanted)
    refused = [problem(answer) for answer in answers if answer.status_code >= 400]
    assert refused == [(409, "reading_exists")] * (len(answers) - 1)
    [right] = [answer.json() for answer in answers if answer.status_code < 400]
    there = (await acme.get(path, params={"from": APRIL, "to": MAY})).json()["items"]
    expected = [right["final"]["id"], right["initial"]["id"]] if "final" in right else [right["id"]]
    assert sorted(reading["id"] for reading in there) == sorted(expected)


async def test_a_reading_that_waited_for_an_exchange_is_of_the_new_register(acme, home, ledger):
    meter = UUID(home["total"])
    old, new = Register("import"), Register("import", digits=4, multiplier=Decimal(40))
    at, now = datetime.fromisoformat(APRIL), datetime.now(UTC)
    async with transaction(ledger, tenant="acme") as tx:
        final = ReadingRequest(meter, old.flow, ReadingContent(Decimal(900), at))
        initial = ReadingContent(Decimal(0), at)
        await exchange_meter(tx, Cause("acme", "k", "c"), final, initial, new, now)
        posted = asyncio.create_task(
            acme.post(f"/v1/meters/{meter}/readings", json={"value": "7", "read_at": MAY})
        )
        await somebody_waits(tx.raw.fetchval)
    reading = (await posted).json()
    assert (reading["digits"], reading["multiplier"]) == (4, "40")


async def test_an_id_names_one_thing(acme, home):
    user = {"id": str(uuid4()), "name": "Ada", "email": "a@b.org", "property_id": home["id"]}
    assert (await acme.post("/v1/users", json=user)).status_code == 201
    other = await acme.post("/v1/users", json=user | {"name": "Bob", "email": "b@b.org"})
    assert problem(other) == (409, "user_exists")
    twice = {"items": [HOME | {"id": str(uuid4())}] * 2}
    assert problem(await acme.post("/v1/properties/batch", json=twice)) == (422, "duplicate_id")
    nowhere = {"parent_id": str(uuid4())}
    moved = await acme.patch(
        f"/v1/properties/{home['id']}", json=nowhere, headers={"If-Match": "*"}
    )
    assert problem(moved) == (422, "unknown_parent")


async def test_answers_are_deleted_by_time_alone_once_their_keys_have_expired(ledger, clients):
    """Nobody calls again: of two tenants the old answers go, with names in them, and new ones
    stay. Only the process's own loop is asked."""
    for tenant in ("acme", "other"):
        client = await clients(tenant)
        for key in ("old", "new"):
            home = {"name": f"Ada's {key}", "zone": "Europe/Berlin"}
            made = await client.post("/v1/properties", json=home, headers={"Idempotency-Key": key})
            assert made.status_code == 201, made.text
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(
            "UPDATE idempotency_key SET created_at = now() - interval '49 h' WHERE key = 'old'"
        )
    [sweep] = [loop for loop in loops(process_of(ledger)) if loop.name == "ledger.idempotency_keys"]
    stop, left = asyncio.Event(), None
    running = asyncio.create_task(sweep.run(Progress(sweep.name), stop))
    for _ in range(100):
        async with snapshot(ledger, tenant=ALL_TENANTS) as read:
            rows = await read.raw.fetch("SELECT tenant_id, key FROM idempotency_key ORDER BY 1, 2")
        left = [tuple(row) for row in rows]
        if len(left) == 2:
            break
        await asyncio.sleep(0.05)
    stop.set()
    await running
    assert left == [("acme", "new"), ("other", "new")]
