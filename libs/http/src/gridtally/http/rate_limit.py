"""The budget of a key and of its tenant: token buckets in memory, per process, and how much costly
work of a tenant is at work at once.

Refuses to be exact across processes: it protects a service, it does not bill for calls.
"""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 10.0
"""Points of so many seconds may be saved up."""
BUCKETS_MAX = 10_000
"""Of keys, and of tenants; the one that was used the longest ago is forgotten."""
AT_WORK_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What became of a request to spend: `wait_s` is 0 where it may go on, else the seconds until
    it may be tried again; `reason` says then whose budget is used up. The fields are those of
    draft-ietf-httpapi-ratelimit-headers."""

    wait_s: float
    reason: str
    limit: str
    policy: str


class Buckets:
    """Token buckets by name: each earns `per_s` points a second, up to `BURST_S` seconds' worth."""

    def __init__(self, per_s: float, clock_s: Callable[[], float]) -> None:
        self.per_s = per_s
        self.burst = max(1.0, per_s * BURST_S)
        self._clock_s = clock_s
        self._points: OrderedDict[tuple[str, ...], tuple[float, float]] = OrderedDict()

    def points(self, name: tuple[str, ...]) -> float:
        """What a bucket holds now."""
        now_s = self._clock_s()
        points, filled_at_s = self._points.get(name, (self.burst, now_s))
        return min(self.burst, points + (now_s - filled_at_s) * self.per_s)

    def set_points(self, name: tuple[str, ...], points: float) -> None:
        """What it holds from now on."""
        self._points[name] = points, self._clock_s()
        self._points.move_to_end(name)
        if len(self._points) > BUCKETS_MAX:
            self._points.popitem(last=False)


class RateLimit:
    """Lets each key, and all keys of a tenant together, spend so many points a second for long, and
    `BURST_S` seconds' worth of them at once."""

    def __init__(
        self,
        *,
        key_per_s: float,
        tenant_per_s: float,
        calculations_of_tenant_max: int,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of_keys = Buckets(key_per_s, clock_s)
        self._of_tenants = Buckets(tenant_per_s, clock_s)
        self._calculations_max = calculations_of_tenant_max
        self._at_work: Counter[str] = Counter()

    def spend(self, tenant_id: str, key_id: str, points: int) -> Spent:
        """Take the points from the key and its tenant, or from neither.

        What costs more than a bucket can hold costs a full bucket, so that it is possible at all.
        """
        budgets = (
            ("key", self._of_keys, (tenant_id, key_id)),
            ("tenant", self._of_tenants, (tenant_id,)),
        )
        waits_s = {
            name: (min(points, buckets.burst) - buckets.points(bucket)) / buckets.per_s
            for name, buckets, bucket in budgets
        }
        reason = max(waits_s, key=waits_s.__getitem__)
        is_allowed = waits_s[reason] <= 0
        limits, policies = [], []
        for name, buckets, bucket in budgets:
            left = buckets.points(bucket)
            if is_allowed:
                left -= min(points, buckets.burst)
                buckets.set_points(bucket, left)
            whole_in_s = math.ceil((buckets.burst - left) / buckets.per_s)
            limits.append(f'"{name}";r={math.floor(left)};t={whole_in_s}')
            policies.append(f'"{name}";q={math.floor(buckets.burst)};w={BURST_S:g}')
        wait_s = 0.0 if is_allowed else waits_s[reason]
        return Spent(wait_s, reason, ", ".join(limits), ", ".join(policies))

    def begin_calculation(self, tenant_id: str) -> bool:
        """Whether one more calculation of the tenant may be at work now; `end_calculation` is due
        then."""
        if self._at_work[tenant_id] >= self._calculations_max:
            return False
        self._at_work[tenant_id] += 1
        return True

    def end_calculation(self, tenant_id: str) -> None:
        """That calculation is over, however it ended."""
        self._at_work[tenant_id] -= 1
        self._at_work += Counter()  # drops the tenants that have none
