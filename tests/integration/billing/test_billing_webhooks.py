"""Webhooks on PostgreSQL and real sockets: nothing is lost, and no endpoint holds up another."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import standardwebhooks

from gridtally.billing.domain.webhooks import attempt_of
from gridtally.billing.handlers import webhooks as handlers
from gridtally.database import ALL_TENANTS, transaction
from gridtally.kernel.errors import Transient
from gridtally.webhooks.addresses import networks
from gridtally.webhooks.sender import Sender
from problems import paths

KEY = b"k" * 32
LOCAL = networks("127.0.0.0/8")
ISSUED = "invoice.issued.v1"


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


class Receiver:
    """A receiver on this machine: `answers` one by one, the last for ever; None waits to
    be released."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []
        self.released = asyncio.Event()

    async def handle(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
            headers = {name.lower(): value for name, value in lines}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((headers, body))
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if status is None:
                await self.released.wait()
                return
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".encode()
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _ in self.requests]


@asynccontextmanager
async def listening(*answers):
    """A receiver, and its URL."""
    receiver = Receiver(*answers)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    try:
        yield receiver, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


async def endpoint(api, url, **more):
    answer = await api.post("/v1/webhook-endpoints", json={"url": url} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


class Delivery:
    """A deliverer with a clock that a test moves."""

    def __init__(self, world, sender, tenant):
        self.now = datetime.now(UTC)
        self.deliverer = handlers.Deliverer(world.database, sender, KEY, lambda: self.now)
        self.world, self.tenant = world, tenant

    async def happened(self, make, count=1):
        """So many account changes of the tenant, now; endpoints are made by the true clock."""
        self.now = max(self.now, datetime.now(UTC))
        received = [
            make.received(make.balance_changed(uuid4(), "1.00"), self.tenant) for _ in range(count)
        ]
        await self.queue(received)
        return received

    async def queue(self, received):
        now = self.now
        at_now = [m._replace(envelope=m.envelope._replace(occurred_at=now)) for m in received]
        async with transaction(self.world.database, tenant=ALL_TENANTS) as tx:
            await handlers.queue_messages(tx, at_now)

    async def deliver(self, **later):
        """Post all that is due, after so much more time, however long the test has taken."""
        self.now = max(self.now, datetime.now(UTC)) + timedelta(**later)
        while await self.deliverer.begin_due():
            await self.deliverer.finish()


@pytest.fixture
async def delivery(world):
    async with Sender(LOCAL, timeout_s=3) as sender:
        yield Delivery(world, sender, world.tenant)


async def test_an_endpoint_is_made_changed_and_deleted(api, clients):
    made = await endpoint(api, "https://example.org/hook", types=[ISSUED], description="ERP")
    assert made["secret"].startswith("whsec_")
    path = f"/v1/webhook-endpoints/{made['id']}"
    again = await api.post(
        "/v1/webhook-endpoints",
        json={name: made[name] for name in ("id", "url", "types", "description")},
    )
    assert (again.status_code, again.json()["secret"]) == (200, None)
    other = await api.post("/v1/webhook-endpoints", json={"id": made["id"], "url": "https://x.org"})
    assert (other.status_code, other.json()["code"]) == (409, "webhook_endpoint_exists")
    shown = (await api.get(path)).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    off = await api.patch(path, json={"state": "disabled"})
    assert off.json()["disabled_reason"] == "it was disabled by hand"
    on = await api.patch(path, json={"state": "active", "types": []})
    assert (on.json()["state"], on.json()["types"], on.headers["etag"]) == ("active", [], '"3"')
    assert [item["id"] for item in (await api.get("/v1/webhook-endpoints")).json()["items"]] == [
        made["id"]
    ]
    rotated = (await api.post(f"{path}/rotation")).json()
    assert rotated["secret"] != made["secret"]
    another = await clients("another")
    for method, its in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/test")):
        answer = await another.request(method, its, json={} if method == "PATCH" else None)
        assert answer.status_code == 404, (method, answer.text)
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"url": "ftp://example.org"}, "/url"),
        ({"url": "https://a:b@example.org"}, "/url"),
        ({"url": "https://example.org", "types": ["nothing"]}, "/types/0"),
    ],
)
async def test_an_endpoint_must_be_well_formed(api, body, path):
    answer = await api.post("/v1/webhook-endpoints", json=body)
    assert (answer.status_code, paths(answer.json())) == (422, [path])


async def test_a_message_is_posted_again_until_it_is_taken(api, clients, delivery, make):
    async with listening(500, 200) as (receiver, url):
        made = await endpoint(api, url)
        foreign = await clients("another-tenant")
        await endpoint(foreign, url)  # of somebody else, who gets nothing
        (event,) = await delivery.happened(make)
        await delivery.queue([event])  # once more, as after a crash of the consumer
        await delivery.deliver()
        (waiting,) = (await api.get("/v1/webhook-messages")).json()["items"]
        assert (waiting["state"], waiting["attempts"]) == ("pending", 1)
        await delivery.deliver()  # not due yet
        assert len(receiver.requests) == 1
        await delivery.deliver(seconds=6)
        first, second = receiver.requests
        assert receiver.ids == [waiting["id"]] * 2
        assert first[1] == second[1]
        assert second[0]["content-type"] == "application/json"
        posted = json.loads(second[1])
        assert posted["type"] == "account.changed.v1"
        assert posted["data"]["balances"][0]["balance"] == "1.00"
        attempts = (await api.get(f"/v1/webhook-messages/{waiting['id']}/attempts")).json()
        assert [attempt["status"] for attempt in attempts["items"]] == [500, 200]
        assert (await api.get("/v1/webhook-messages", params={"state": "pending"})).json() == {
            "items": [],
            "next_cursor": None,
        }
        again = await api.post(f"/v1/webhook-messages/{waiting['id']}/redelivery")
        assert again.json() == {"messages": 1}
        await delivery.deliver(seconds=1)
        since = {"since": (delivery.now - timedelta(hours=1)).isoformat()}
        replayed = await api.post(f"/v1/webhook-endpoints/{made['id']}/replay", json=since)
        assert replayed.json() == {"messages": 1}
        await delivery.deliver(seconds=1)
        assert receiver.ids == [waiting["id"]] * 4


async def test_signatures_open_with_the_secret_that_was_shown(api, delivery):
    async with listening(200) as (receiver, url):
        made = await endpoint(api, url)
        path = f"/v1/webhook-endpoints/{made['id']}"
        rotated = (await api.post(f"{path}/rotation")).json()
        assert (await api.post(f"{path}/test")).status_code == 202
        await delivery.deliver(seconds=1)
        ((headers, body),) = receiver.requests
        for secret in (made["secret"], rotated["secret"]):
            assert standardwebhooks.Webhook(secret).verify(body, headers)["type"] == "webhook.test"
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(made["secret"]).verify(body + b" ", headers)


class Killed(Exception):
    """The process ends here."""


class KilledSender(Sender):
    """Posts, and is killed before anybody can mark that."""

    async def post(self, url, headers, body):
        await super().post(url, headers, body)
        raise Killed


async def test_a_message_posted_and_not_marked_comes_again_under_its_id(api, world, delivery, make):
    async with listening(200) as (receiver, url):
        await endpoint(api, url)
        await delivery.happened(make)
        async with KilledSender(LOCAL) as sender:
            killed = handlers.Deliverer(world.database, sender, KEY, lambda: delivery.now)
            assert await killed.begin_due() == 1
            with pytest.raises(Killed):
                await killed.finish()
        await delivery.deliver()
        assert len(receiver.requests) == 1  # the other process may still be at it
        await delivery.deliver(seconds=61)
        assert len(receiver.ids) == 2
        assert len(set(receiver.ids)) == 1
        (message,) = (await api.get("/v1/webhook-messages")).json()["items"]
        assert message["state"] == "delivered"


async def test_what_could_not_be_marked_is_marked_later_and_not_posted_again(
    api, delivery, make, monkeypatch
):
    """PostgreSQL goes away between posting and marking, for longer than a lease."""
    record = handlers.store.record_attempts

    async def lost(*_):
        raise Transient("the connection was lost")

    async with listening(200) as (receiver, url):
        await endpoint(api, url)
        await delivery.happened(make, 3)
        monkeypatch.setattr(handlers.store, "record_attempts", lost)
        assert await delivery.deliverer.begin_due() == 3
        with pytest.raises(Transient):
            await delivery.deliverer.finish()
        with pytest.raises(Transient):  # nothing is claimed before it can be marked
            await delivery.deliver(seconds=61)
        monkeypatch.setattr(handlers.store, "record_attempts", record)
        await delivery.deliver(seconds=61)
        assert len(receiver.requests) == 3
        messages = (await api.get("/v1/webhook-messages")).json()["items"]
        assert [message["state"] for message in messages] == ["delivered"] * 3


async def test_a_message_that_was_claimed_twice_is_marked_once(api, world, delivery, make):
    """As where a clock jumps beyond the lease while a message is posted."""
    async with listening(500) as (receiver, url):
        await endpoint(api, url)
        await delivery.happened(make)
        assert await delivery.deliverer.begin_due() == 1
        delivery.now += timedelta(seconds=61)
        (again,) = await claimed(world, delivery.now)
        first = attempt_of(again, 500, None, "", 1, None, delivery.now)
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            await handlers.store.record_attempts(tx, [first, replace(first, status=503)])
        await delivery.deliverer.finish()  # its own attempt was recorded by another
        (message,) = (await api.get("/v1/webhook-messages")).json()["items"]
        assert (message["state"], message["attempts"]) == ("pending", 1)
        attempts = (await api.get(f"/v1/webhook-messages/{message['id']}/attempts")).json()["items"]
        assert len(attempts) == 1
        assert len(receiver.requests) == 1


async def test_an_endpoint_that_took_something_meanwhile_is_not_given_up(api, delivery, make):
    """Failing since long ago, and repaired: of four messages posted at once three are taken."""
    async with listening(500, 200, 200, 200, 503) as (_, url):
        made = await endpoint(api, url)
        await delivery.happened(make)
        await delivery.deliver()
        await delivery.happened(make, 3)
        await delivery.deliver(days=6)
        shown = (await api.get(f"/v1/webhook-endpoints/{made['id']}")).json()
        assert (shown["state"], shown["disabled_reason"]) == ("active", None)
        states = [
            message["state"] for message in (await api.get("/v1/webhook-messages")).json()["items"]
        ]
        assert sorted(states) == ["delivered"] * 3 + ["pending"]
        await delivery.deliver(days=6)  # it fails for six days from here on
        shown = (await api.get(f"/v1/webhook-endpoints/{made['id']}")).json()
        assert shown["disabled_reason"].startswith("it took nothing since ")


async def test_endpoints_of_two_tenants_with_one_id_do_not_hold_each_other_up(
    api, clients, delivery, make
):
    foreign = await clients("another-tenant")
    async with listening(None) as (slow, slow_url), listening(200) as (quick, quick_url):
        made = await endpoint(api, quick_url)
        await endpoint(foreign, slow_url, id=made["id"])
        at_work = delivery.deliverer
        at_work._in_flight = {_never(): ("another-tenant", UUID(made["id"])) for _ in range(4)}
        await delivery.happened(make)
        assert await at_work.begin_due() == 1
        for task in list(at_work._in_flight)[:4]:
            task.cancel()
            del at_work._in_flight[task]
        await at_work.finish()
        assert (len(quick.requests), len(slow.requests)) == (1, 0)


def _never():
    return asyncio.create_task(asyncio.sleep(600))


async def claimed(world, now):
    async with transaction(world.database, tenant=ALL_TENANTS) as tx:
        return await handlers.store.claim_messages(
            tx, now, now + handlers.LEASE, of_endpoint_max=4, messages_max=4, busy=[]
        )


async def test_a_slow_endpoint_holds_up_no_other(api, world, delivery, make):
    """One takes its time over its first messages; the other has all 40 of its own meanwhile."""
    async with listening(None) as (slow, slow_url), listening(200) as (quick, quick_url):
        await endpoint(api, slow_url)
        await endpoint(api, quick_url)
        await delivery.happened(make, 40)
        async with Sender(LOCAL, timeout_s=120) as sender:
            deliverer = handlers.Deliverer(world.database, sender, KEY, lambda: delivery.now)
            async with asyncio.timeout(60):
                while len(quick.requests) < 40:
                    await deliverer.begin_due()
                    await deliverer.wait(0.05)
            assert len(slow.requests) <= 2 * handlers.OF_ENDPOINT_MAX
            slow.released.set()
            await deliverer.finish()
        assert len(set(quick.ids)) == 40


async def test_an_endpoint_that_is_gone_is_disabled_with_the_reason(api, delivery, make):
    async with listening(410) as (receiver, url):
        made = await endpoint(api, url)
        await delivery.happened(make, 1)
        await delivery.deliver()
        await delivery.happened(make, 1)  # nothing is queued for it any more
        await delivery.deliver(hours=1)
        shown = (await api.get(f"/v1/webhook-endpoints/{made['id']}")).json()
        assert (shown["state"], shown["disabled_reason"]) == (
            "disabled",
            "it answered 410: it is gone",
        )
        assert len(receiver.requests) == 1


async def test_addresses_inside_are_refused_at_the_attempt(api, world, delivery, make):
    async with listening(200) as (receiver, url):
        await endpoint(api, url.replace("http://127.0.0.1", "https://localhost"))
        await delivery.happened(make)
        async with Sender() as sender:  # as an installation that allows no network
            strict = handlers.Deliverer(world.database, sender, KEY, lambda: delivery.now)
            assert await strict.begin_due() == 1
            await strict.finish()
        (message,) = (await api.get("/v1/webhook-messages")).json()["items"]
        attempts = (await api.get(f"/v1/webhook-messages/{message['id']}/attempts")).json()["items"]
        assert attempts[0]["error"] == "the name leads to an address that is not public"
        assert receiver.requests == []


async def test_old_messages_are_deleted(api, world, delivery, make):
    await endpoint(api, "https://example.org/")
    await delivery.happened(make, 3)
    async with transaction(world.database, tenant=ALL_TENANTS) as tx:
        assert await handlers.purge_messages(tx, delivery.now + timedelta(days=29)) == 0
        assert await handlers.purge_messages(tx, delivery.now + timedelta(days=31)) >= 3
    assert (await api.get("/v1/webhook-messages")).json()["items"] == []
