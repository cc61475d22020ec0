"""How a loop of passes tells its progress."""

import asyncio

from kernel.errors import Transient
from messaging import Progress
from serving import passes
from serving.passes import repeated


async def test_a_loop_that_works_tells_what_is_left_and_one_that_rests_nothing(monkeypatch):
    monkeypatch.setattr(passes, "LAG_EVERY_S", 0.0)
    stop, progress = asyncio.Event(), Progress("work")
    waiting, lags = [3, 2, 1], []

    async def once():
        lags.append(progress.lag)
        if not waiting:
            stop.set()
            return 0
        waiting.pop()
        return 1

    async def count_left():
        return len(waiting)

    await repeated("work", once, idle_s=0.0, count_left=count_left).run(progress, stop)
    assert (lags, progress.handled, progress.lag) == ([0, 2, 1, 0], 3, 0)


async def test_a_loop_asks_for_what_is_left_now_and_then_only():
    stop, asked = asyncio.Event(), []
    passes_left = iter([1, 1, 1])

    async def once():
        if not (done := next(passes_left, 0)):
            stop.set()
        return done

    async def count_left():
        asked.append("count")
        return 9

    await repeated("work", once, idle_s=0.0, count_left=count_left).run(Progress("work"), stop)
    assert asked == ["count"]


async def test_a_pass_that_fails_for_a_while_is_tried_again_and_lags():
    stop, progress = asyncio.Event(), Progress("work")
    failures, lags = [Transient("broken", "for a while")], []

    async def once():
        if failures:
            raise failures.pop()
        lags.append(progress.lag)
        stop.set()
        return 0

    await repeated("work", once, idle_s=0.0).run(progress, stop)
    assert (progress.retries, lags, progress.lag) == (1, [1], 0)
