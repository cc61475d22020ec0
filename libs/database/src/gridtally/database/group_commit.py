"""Group commit: requests that come while a transaction runs share the next one.

    payments = GroupCommit(post_payments, ("transaction", "posting"))
    outcome = await payments.join(database, tenant_id, customer_id, payment)

A transaction costs the same round trips, plans and flush of the log whether it does one request or
fifty. Nobody waits for others to come: a request that finds nothing running begins at once, so a
lone caller has its answer as soon as without a group.

Owns who shares a transaction, and that each request has an outcome of its own (docs/adr/0021). A
group is of one tenant. In it each subject, what requests must not overtake one another about,
comes once: so what the group does is what its requests would have done one after another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import asyncpg

from gridtally.database.bound_customers import bound_customer
from gridtally.database.connections import WriteConnection
from gridtally.database.engine import Database, causes
from gridtally.database.plans import keep_plans
from gridtally.database.transactions import transaction
from gridtally.kernel.errors import Transient

R = TypeVar("R")
A = TypeVar("A")
Work = Callable[[WriteConnection, str, Sequence[R]], Awaitable[Sequence[A | Exception]]]
"""Does requests of a tenant within one transaction; the outcome of each in their order. An
exception is how the work refuses a request."""

REQUESTS_MAX = 200
"""In one group: so many that the transaction costs little beside them, and is soon over."""
LOCK_LIMIT_MS = 200
"""A group waits no longer for what somebody else has locked; then each of its requests waits by
itself, and those that need something else go on."""
_LIMIT_LOCKS = f"SET LOCAL lock_timeout = {LOCK_LIMIT_MS}"
_LOST_RACES = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
"""After these it is certain that nothing was committed, and only who met them needs to know."""


class _Refused(Exception):
    """Rolls a group back in which the work has refused some requests."""


@dataclass(slots=True, eq=False)
class _Member(Generic[R, A]):
    """A request that waits for its outcome; whoever awaits `outcome` may have gone meanwhile."""

    subject: Hashable
    request: R
    outcome: asyncio.Future[A]

    def end(self, outcome: A | BaseException) -> None:
        """Give the outcome to whoever waits for it."""
        if self.outcome.done():
            return
        if isinstance(outcome, BaseException):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Queue(Generic[R, A]):
    """The requests of a tenant, in the order they came, and the subjects that are at work."""

    database: Database
    tenant: str
    waiting: list[_Member[R, A]] = field(default_factory=list)
    busy: set[Hashable] = field(default_factory=set)
    is_running: bool = False

    def take(self) -> list[_Member[R, A]]:
        """The next group: the oldest request of each subject that is not at work."""
        group: list[_Member[R, A]] = []
        left: list[_Member[R, A]] = []
        passed: set[Hashable] = set(self.busy)
        for member in self.waiting:
            if member.outcome.done():
                continue  # whoever asked has gone before anything was done
            if member.subject in passed or len(group) == REQUESTS_MAX:
                left.append(member)
            else:
                group.append(member)
            passed.add(member.subject)
        self.waiting = left
        self.busy.update(member.subject for member in group)
        return group


class GroupCommit(Generic[R, A]):
    """Requests of one kind, of whatever tenants; one group of a tenant is at work at a time."""

    def __init__(self, work: Work[R, A], growing: Sequence[str]) -> None:
        """`growing` are the tables that the work touches and that grow (`plans`)."""
        self._work = work
        self._growing = growing
        self._queues: dict[tuple[Database, str], _Queue[R, A]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, database: Database, tenant: str, subject: Hashable, request: R) -> A:
        """Have a request done by the next transaction of its tenant; its outcome, once that is
        committed.

        Raises what the work refuses it with, and what the transaction raises. Who is cancelled
        before it begins has asked for nothing; afterwards it is seen through without them.
        """
        if bound_customer() is not None:  # a group has no customer whose rows it might see alone
            return await self._alone(database, tenant, request)
        queue = self._queues.setdefault((database, tenant), _Queue(database, tenant))
        member = _Member[R, A](subject, request, asyncio.get_running_loop().create_future())
        queue.waiting.append(member)
        self._begin(queue)
        return await member.outcome

    def _begin(self, queue: _Queue[R, A]) -> None:
        if not queue.is_running:
            queue.is_running = True
            self._start(self._run(queue))

    # In a context of its own: what the first caller's logs are marked with is not the others'.
    def _start(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(step, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, queue: _Queue[R, A]) -> None:
        """Do groups until nobody waits whose subject is free."""
        try:
            while group := queue.take():
                await self._do(queue, group)
                await asyncio.sleep(0)  # whoever has an answer may ask again, and go along
        except BaseException:
            for member in queue.waiting:
                member.outcome.cancel()  # cut with the process: nobody else would end their wait
            raise
        finally:
            queue.is_running = False
            self._forget(queue)

    async def _do(self, queue: _Queue[R, A], group: list[_Member[R, A]]) -> None:
        """Do a group, and again without those whom the work refuses."""
        apart: list[_Member[R, A]] = []
        left = group
        try:
            while left:
                left = await self._commit(queue, left)
        except Exception as failure:  # noqa: BLE001 - each caller gets it, or its own
            apart = left if _may_be_done_apart(failure, left) else []
            for member in left if not apart else ():
                member.end(failure)
        finally:
            for member in group:
                if member not in apart:
                    member.outcome.cancel()  # cut with the process, where there is none yet
                    queue.busy.discard(member.subject)
        for member in apart:
            self._start(self._do_apart(queue, member))

    async def _commit(self, queue: _Queue[R, A], group: list[_Member[R, A]]) -> list[_Member[R, A]]:
        """Do a group in one transaction; those that are to be done again, as others were refused.

        Nothing of a refused request may be stored, be it the trace of a lock, so the transaction is
        rolled back: refusals are rare, and a savepoint for each request would cost everybody.
        """
        refused: list[int] = []
        outcomes: Sequence[A | Exception] = ()
        try:
            async with transaction(queue.database, tenant=queue.tenant) as tx:
                await tx.raw.execute(_LIMIT_LOCKS)
                await keep_plans(tx, self._growing)
                outcomes = await self._work(tx, queue.tenant, [m.request for m in group])
                refused = [n for n, own in enumerate(outcomes) if isinstance(own, Exception)]
                if refused:
                    raise _Refused
        except _Refused:
            for index in refused:
                group[index].end(outcomes[index])
            return [member for n, member in enumerate(group) if n not in set(refused)]
        for member, outcome in zip(group, outcomes, strict=True):
            member.end(outcome)
        return []

    async def _do_apart(self, queue: _Queue[R, A], member: _Member[R, A]) -> None:
        """Do one request of a group that could not be done together."""
        try:
            member.end(await self._alone(queue.database, queue.tenant, member.request))
        except Exception as failure:  # noqa: BLE001 - raised to whoever has asked
            member.end(failure)
        finally:
            member.outcome.cancel()
            queue.busy.discard(member.subject)
            self._begin(queue)

    async def _alone(self, database: Database, tenant: str, request: R) -> A:
        async with transaction(database, tenant=tenant) as tx:
            [outcome] = await self._work(tx, tenant, [request])
            if isinstance(outcome, Exception):
                raise outcome
        return outcome

    def _forget(self, queue: _Queue[R, A]) -> None:
        if not queue.waiting and not queue.busy:
            self._queues.pop((queue.database, queue.tenant), None)


def _may_be_done_apart(failure: Exception, group: Sequence[object]) -> bool:
    """Whether each request of a group that failed is to be tried by itself, so that who is at fault
    gets the answer and nobody else does.

    Not where the connection was lost, as a commit may have been done: then each caller is to ask
    again, as it would have alone.
    """
    met = [*causes(failure)]
    if any(isinstance(cause, _LOST_RACES) for cause in met):
        return True
    is_of_work = not isinstance(failure, Transient) or len(met) == 1
    return is_of_work and len(group) > 1
