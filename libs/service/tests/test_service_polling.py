"""How a loop that polls reports its progress."""

import asyncio

from gridtally.kernel.errors import Transient
from gridtally.messaging import Progress
from gridtally.service import polling
from gridtally.service.polling import repeating_loop


async def test_a_loop_that_works_reports_what_is_pending_and_nothing_when_it_rests(monkeypatch):
    monkeypatch.setattr(polling, "LAG_EVERY_S", 0.0)
    stop, progress = asyncio.Event(), Progress("work")
    pending, lags = [3, 2, 1], []

    async def poll():
        lags.append(progress.lag)
        if not pending:
            stop.set()
            return 0
        pending.pop()
        return 1

    async def count_pending():
        return len(pending)

    await repeating_loop("work", poll, idle_s=0.0, count_pending=count_pending).run(progress, stop)
    assert (lags, progress.handled, progress.lag) == ([0, 2, 1, 0], 3, 0)


async def test_a_loop_counts_what_is_pending_now_and_then_only():
    stop, counts = asyncio.Event(), []
    polls_left = iter([1, 1, 1])

    async def poll():
        if not (done := next(polls_left, 0)):
            stop.set()
        return done

    async def count_pending():
        counts.append("count")
        return 9

    await repeating_loop("work", poll, idle_s=0.0, count_pending=count_pending).run(
        Progress("work"), stop
    )
    assert counts == ["count"]


async def test_a_poll_that_fails_for_a_while_is_tried_again_and_lags():
    stop, progress = asyncio.Event(), Progress("work")
    failures, lags = [Transient("broken", "for a while")], []

    async def poll():
        if failures:
            raise failures.pop()
        lags.append(progress.lag)
        stop.set()
        return 0

    await repeating_loop("work", poll, idle_s=0.0).run(progress, stop)
    assert (progress.retries, lags, progress.lag) == (1, [1], 0)
