"""What it means to a caller that a row broke one of the database's constraints."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import IntegrityError

from gridtally.database.engine import causes
from gridtally.kernel.errors import Rejected


@contextmanager
def rejecting(answers: Mapping[str, Rejected]) -> Iterator[None]:
    """Within this block a broken constraint raises the answer under its name.

    A constraint without an answer stays the defect that it is. The transaction is lost either way.
    """
    try:
        yield
    except (IntegrityError, asyncpg.IntegrityConstraintViolationError) as failure:
        answer = answers.get(broken_constraint(failure) or "")
        if answer is None:
            raise
        raise answer from None


def broken_constraint(failure: BaseException) -> str | None:
    """The name of the constraint that a statement broke; None where the failure is another."""
    names = [
        cause.constraint_name
        for cause in causes(failure)
        if isinstance(cause, asyncpg.IntegrityConstraintViolationError)
    ]
    return names[0] if names else None
