"""What waits for its seal: how much that is and since when is reported, and nothing keeps it for
long without somebody noticing."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import structlog

from gridtally.cli.ledger_proofs import check_online
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger import loops
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.audit.handlers import seals
from gridtally.messaging import Progress
from gridtally.messaging.progress import STALLED_AFTER_S
from integration.command_api import command_api
from integration.ledger.accounts import invoice, posted
from integration.ledger.processes import process_of
from integration.ledger.seals import seal

AGE = "UPDATE entry_queue SET queued_at = queued_at - interval '61 s'"


async def test_the_command_verifies_the_running_ledger(ledger, acme, superuser, tmp_path):
    await posted(ledger, post_invoices, invoice(1), invoice(2))
    await seal(ledger)
    await posted(ledger, post_invoices, invoice(3))
    async with command_api("ledger", acme) as api:
        findings, reached = await check_online(api, None, tmp_path / "export")
        assert [finding.holds for finding in findings] == [True, True, True]
        assert (reached.size, findings[1].right) == (2, "2 sealed, 1 waiting")
        since = (await acme.get("/v1/ledger/status")).json()["unsealed_since"]
        assert findings[2].left == f"1 since {since}"
        await superuser.execute(AGE)
        await superuser.execute("UPDATE transaction SET reference = 'x' WHERE reference = 'INV-2'")
        findings, none = await check_online(api, reached, tmp_path / "export")
        assert ([finding.holds for finding in findings], none) == ([False, True, False], None)


@asynccontextmanager
async def watching(ledger):
    """The progress of the loop that watches what waits, and the lags that it sees."""
    stop, lags = asyncio.Event(), asyncio.Queue()

    class Watched(Progress):
        def observe_lag(self, lag, *, now_s):
            super().observe_lag(lag, now_s=now_s)
            lags.put_nowait(lag)

    _, watch, *_ = loops.loops(process_of(ledger))
    progress = Watched(watch.name)
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.run(progress, stop))
        yield progress, lags
        stop.set()


async def until(lags, wanted):
    """Look until so many entries are late; then once more, so that progress has seen it too."""
    while await lags.get() != wanted:
        pass
    assert await lags.get() == wanted


async def test_whoever_holds_a_chain_is_noticed(ledger, acme, superuser, monkeypatch):
    """The sealer passes over a head that somebody holds, and is idle then as if nothing waited."""
    monkeypatch.setattr(loops, "LATE_POLL_S", 0.02)
    await posted(ledger, post_invoices, invoice(1), invoice(2))
    async with watching(ledger) as (progress, lags):
        async with superuser.transaction():
            await superuser.execute("SELECT FROM chain_head FOR UPDATE")
            assert await seal(ledger) == 0
            await until(lags, 0)
            assert (await acme.get("/v1/ledger/status")).json()["in_time"] is True
        await superuser.execute(AGE)
        await until(lags, 2)
        assert (await acme.get("/v1/ledger/status")).json()["in_time"] is False
        stalled_s = progress.lagging_since_s + STALLED_AFTER_S + 1
        assert progress.stalled(now_s=stalled_s)
        assert await seal(ledger) == 2
        await until(lags, 0)
        assert (progress.handled, progress.stalled(now_s=stalled_s)) == (2, False)


async def test_what_is_slow_is_reported_but_not_stalled(ledger, superuser, monkeypatch):
    """To restart the process would only make it slower."""
    monkeypatch.setattr(loops, "LATE_POLL_S", 0.02)
    monkeypatch.setattr(seals, "SEAL_ENTRIES_MAX", 1)
    await posted(ledger, post_invoices, invoice(1), invoice(2))
    await superuser.execute(AGE)
    async with watching(ledger) as (progress, lags):
        await until(lags, 2)
        since_s = progress.lagging_since_s
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            assert await seals.seal_queued(tx) == 1
        await until(lags, 1)
        assert progress.handled == 1
        assert progress.lagging_since_s > since_s


BROKEN = {
    "no such tree": "UPDATE chain_head SET peaks = '' WHERE tenant_id = 'acme'",
    "moved back": "UPDATE chain_head SET size = 0, head = NULL, peaks = '' "
    "WHERE tenant_id = 'acme'",
}


@pytest.mark.parametrize("deed", BROKEN.values(), ids=BROKEN)
async def test_a_broken_chain_holds_up_nobody_elses(ledger, acme, superuser, monkeypatch, deed):
    monkeypatch.setattr(loops, "SEAL_POLL_S", 0.02)
    await posted(ledger, post_invoices, invoice(1))
    await seal(ledger)
    await superuser.execute(deed)
    await posted(ledger, post_invoices, invoice(2))
    await posted(ledger, post_invoices, invoice(3), invoice(4), tenant="other")
    stop = asyncio.Event()

    class Watched(Progress):
        def observe_lag(self, lag, *, now_s):
            idle_with_all_done = lag == 0 and self.handled == 2
            super().observe_lag(lag, now_s=now_s)
            if idle_with_all_done:
                stop.set()

    sealer, *_ = loops.loops(process_of(ledger))
    with structlog.testing.capture_logs() as logs:
        await sealer.run(Watched(sealer.name), stop)
    [line] = [line for line in logs if line["event"] == "chain broken"]
    assert "acme" in line["reason"]
    status = (await acme.get("/v1/ledger/status")).json()
    assert (status["sealed"], status["unsealed"], status["whole"]) == (1, 1, True)
