"""What people get wrong, and how it is put right through the APIs: in the end bills, accounts and
open items are those of the history without the mistake.

All histories run side by side on one installation, each at a site of its own: the one with the
mistake, and the one as it should have been.
"""

import asyncio
import time
from collections import Counter

import pytest

from e2e.mistakes import agreements, payments, prices, readings
from e2e.mistakes.sites import DEAR, FLAT, Site
from e2e.retailer import empty_retailer
from gridtally.cli.reconciliation import reconcile_until_stable

HISTORIES = (
    *agreements.HISTORIES, *readings.HISTORIES, *prices.HISTORIES, *payments.HISTORIES
)  # fmt: skip
AT_ONCE = 24
"""Histories that go on at a time: most of each is waiting."""
LIMIT_S = 240.0
POLL_S = 1.0


@pytest.fixture(scope="module")
async def retailer(stack_servers):
    async with empty_retailer(stack_servers) as running:
        yield running


async def both(retailer, plans, history, free):
    """Run a history with and without its mistake, until both have come to the same; the customers
    of both, and what each has come to."""
    async with free:
        customers = [await history(Site(retailer, plans), mistaken) for mistaken in (False, True)]
    site, deadline_s = Site(retailer, plans), time.monotonic() + LIMIT_S
    while True:
        right, mended = [await site.outcome(own) for own in customers]
        is_whole = any(end.bills or end.balances for end in right)
        if (right == mended and is_whole) or time.monotonic() > deadline_s:
            return customers, right, mended
        await asyncio.sleep(POLL_S)


async def test_each_mistake_can_be_put_right(retailer):
    plans = await retailer.tariff(*FLAT), await retailer.tariff(*DEAR)
    free = asyncio.Semaphore(AT_ONCE)
    ends = await asyncio.gather(
        *(both(retailer, plans, history, free) for history in HISTORIES), return_exceptions=True
    )
    failures = [
        f"{history.__name__}: {end!r}"
        for history, end in zip(HISTORIES, ends, strict=True)
        if isinstance(end, BaseException) or end[1] != end[2]
    ]
    assert not failures, "\n".join(failures)
    findings = await reconcile_until_stable(retailer.api, patience_s=LIMIT_S)
    assert [finding.what for finding in findings if not finding.holds] == []
    site = Site(retailer, plans)
    for (right, mended), *_ in ends:
        assert await site.outcome(right) == await site.outcome(mended)


def test_there_are_more_than_forty_and_none_twice():
    counts = Counter(history.__name__ for history in HISTORIES)
    assert len(counts) > 40
    assert max(counts.values()) == 1
