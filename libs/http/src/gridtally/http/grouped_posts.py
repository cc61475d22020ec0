"""POSTs that share transactions: one by one for their callers, by the group for the database.

    PAYMENTS = GroupedPosts(post_payments, ("transaction", "posting"))

    async def post_payment(…) -> Response:
        return await PAYMENTS.answer(db, cause.tenant_id, customer_id, request, command)

Owns that each has the stored answer to its own Idempotency-Key, and its own refusal, as if it had
been alone. Who shares a transaction is decided by `gridtally.database.group_commit`.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from fastapi import Response

from gridtally.database import Database, WriteConnection
from gridtally.database.group_commit import GroupCommit
from gridtally.http.idempotency import Answer, IdempotentRequest, fetch_answers, store_answers

R = TypeVar("R")
Post = Callable[[WriteConnection, str, Sequence[R]], Awaitable[Sequence[Answer | Exception]]]
"""Does what requests of a tenant ask for, in their order; what each is answered or refused with."""


class GroupedPosts(Generic[R]):
    """The POSTs of one kind."""

    def __init__(self, post: Post[R], growing: Sequence[str]) -> None:
        """`growing` are the tables that it touches and that grow (`gridtally.database.plans`)."""
        self._post = post
        self._group = GroupCommit[tuple[IdempotentRequest, R], Response](self._answers, growing)

    async def answer(
        self,
        database: Database,
        tenant_id: str,
        subject: Hashable,
        request: IdempotentRequest,
        asked: R,
    ) -> Response:
        """The answer to a request, once it is committed. `subject` is what requests are about that
        must be done one after another, in the order they came."""
        return await self._group.join(database, tenant_id, subject, (request, asked))

    async def _answers(
        self, tx: WriteConnection, tenant_id: str, members: Sequence[tuple[IdempotentRequest, R]]
    ) -> list[Response | Exception]:
        """The stored answers, and those to what is done now."""
        outcomes = await fetch_answers(tx, [request for request, _ in members])
        fresh = [index for index, answer in enumerate(outcomes) if answer is None]
        made: list[tuple[int, Answer]] = []
        if fresh:
            posted = await self._post(tx, tenant_id, [members[index][1] for index in fresh])
            for index, answer in zip(fresh, posted, strict=True):
                if isinstance(answer, Exception):
                    outcomes[index] = answer
                else:
                    made.append((index, answer))
        sent = await store_answers(tx, [(members[index][0], answer) for index, answer in made])
        for (index, _), response in zip(made, sent, strict=True):
            outcomes[index] = response
        return [outcome for outcome in outcomes if outcome is not None]
