"""Whose rows alone a request may see, where it is bound to one customer of its tenant.

Every transaction tells PostgreSQL, so that no handler has to and none can forget it: policies show
a bound one the rows of its customer and what is common to all (`gridtally.database.security`).
Whoever authenticates a request binds it; tasks and threads that it starts are bound with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_bound: ContextVar[UUID | None] = ContextVar("bound_customer", default=None)


def bind_customer(customer_id: UUID) -> None:
    """From now on transactions of this context see the rows of that customer alone."""
    _bound.set(customer_id)


def bound_customer() -> UUID | None:
    """The customer to whom this context is bound; None where it is to none."""
    return _bound.get()


@contextmanager
def for_all_customers() -> Iterator[None]:
    """Within the block nothing is bound, and afterwards again what was before."""
    token = _bound.set(None)
    try:
        yield
    finally:
        _bound.reset(token)
