"""When a request is sent again: tenacity's loop with our conditions."""

from dataclasses import dataclass
from typing import Any

import httpx
from tenacity import RetryCallState, stop_after_attempt, wait_exponential_jitter

from gridtally.client.problems import NotNow, Problem
from gridtally.client.requests import Request

IN_FLIGHT = "request_in_flight"
"""An earlier attempt under the same key, whose answer did not come in time, is still at work."""
IN_FLIGHT_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and after how long; waits double and are spread by chance.

    `longest_wait_s` bounds what a service asks for, too.
    """

    attempts: int = 5
    first_wait_s: float = 0.2
    longest_wait_s: float = 30.0

    def policy(self, request: Request) -> dict[str, Any]:
        """The arguments of tenacity's Retrying for this request."""
        spread = wait_exponential_jitter(
            multiplier=self.first_wait_s, max=self.longest_wait_s, jitter=self.first_wait_s
        )

        def may_repeat(state: RetryCallState) -> bool:
            failure = state.outcome.exception() if state.outcome else None
            if request.is_stream:
                return False
            if isinstance(failure, NotNow):
                # 429 and 503 are said before anything is done
                return failure.status in (429, 503) or request.is_repeatable
            if isinstance(failure, Problem):
                return failure.code == IN_FLIGHT
            if isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout):
                return True  # it never arrived
            return isinstance(failure, httpx.TransportError) and request.is_repeatable

        def wait_s(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.retry_after_s if isinstance(failure, NotNow) else None
            if isinstance(failure, Problem) and failure.code == IN_FLIGHT:
                asked = IN_FLIGHT_WAIT_S
            return max(spread(state), min(asked or 0.0, self.longest_wait_s))

        return {
            "stop": stop_after_attempt(self.attempts),
            "retry": may_repeat,
            "wait": wait_s,
            "reraise": True,
        }
