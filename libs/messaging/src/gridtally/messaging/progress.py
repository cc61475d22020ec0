"""How far a consumer or relay has come, for metrics, readiness and the watchdog.

A plain record that its one owner writes and others read; it refuses to know a clock.
"""

from dataclasses import dataclass, field

from gridtally.kernel.errors import NoRoom, Transient, Unreadable

STALLED_AFTER_S = 60.0


@dataclass(slots=True)
class Heartbeat:
    """Says from within a handler that it gets on, where a batch may take longer than the watchdog
    waits. It is beaten for work that is done, never because time has passed: a handler that hangs
    still stalls."""

    beaten_s: float | None = None

    def beat(self, *, now_s: float) -> None:
        """So much more of the batch is done; from any thread."""
        self.beaten_s = now_s


@dataclass(slots=True)
class Progress:
    """Counts since the start. `dropped` are dead letters and rows that no quota had room for, `lag`
    is messages or rows that are pending now, `paused` the partitions that are left alone since all
    their messages are dead letters, and `moved_s` and `lagging_since_s` are monotonic seconds. The
    `heartbeat` is that of a handler whose batches take long."""

    name: str
    ready: bool = False
    handled: int = 0
    dead: int = 0
    dropped: int = 0
    paused: int = 0
    retries: int = 0
    lag: int = 0
    moved_s: float | None = None
    lagging_since_s: float | None = None
    heartbeat: Heartbeat = field(default_factory=Heartbeat)

    def advance(self, messages: int, *, now_s: float) -> None:
        """So many messages are committed."""
        self.handled += messages
        self.moved_s = now_s
        if self.lagging_since_s is not None:
            self.lagging_since_s = now_s

    def observe_lag(self, lag: int, *, now_s: float) -> None:
        """So many messages are pending."""
        self.lag = lag
        if lag == 0:
            self.lagging_since_s = None
        elif self.lagging_since_s is None:
            self.lagging_since_s = now_s

    def retry(self, failure: Transient, *, now_s: float) -> None:
        """An attempt failed and will be repeated. On a full disk, or without a file that somebody
        must bring back, nobody hangs: ending the process would make no room, bring back nothing,
        and take from callers what can still be read."""
        self.retries += 1
        self.observe_lag(max(1, self.lag), now_s=now_s)
        if isinstance(failure, NoRoom | Unreadable):
            self.lagging_since_s = now_s

    def stalled(self, *, now_s: float, after_s: float = STALLED_AFTER_S) -> bool:
        """Whether messages have been pending for `after_s` without any progress."""
        if self.lagging_since_s is None:
            return False
        since_s = max(self.lagging_since_s, self.heartbeat.beaten_s or 0.0)
        return now_s - since_s > after_s
