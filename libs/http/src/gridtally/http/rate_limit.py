"""The rate limit: a token bucket per API key, in memory, per process.

Refuses to be exact across processes: it protects a service, it does not bill for calls.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 10.0
"""Requests of so many seconds may be saved up."""
KEYS_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at_s: float


class RateLimit:
    """Lets `per_s` requests of each key through, for long; `BURST_S` × `per_s` at once."""

    def __init__(self, per_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = max(1.0, per_s * BURST_S)
        self._clock_s = clock_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, key_id: str) -> float:
        """Take a token: 0 when there was one, else the seconds until there will be one."""
        now_s = self._clock_s()
        bucket = self._buckets.setdefault(key_id, _Bucket(self._burst, now_s))
        self._buckets.move_to_end(key_id)
        if len(self._buckets) > KEYS_MAX:
            self._buckets.popitem(last=False)
        earned = (now_s - bucket.filled_at_s) * self._per_s
        bucket.tokens = min(self._burst, bucket.tokens + earned)
        bucket.filled_at_s = now_s
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._per_s
        bucket.tokens -= 1
        return 0.0
