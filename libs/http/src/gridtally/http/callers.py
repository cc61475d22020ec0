"""Who may call a service: one scope to read, one to write, in one form for all services.

A service declares its dependencies once, in `api/callers.py`:

    Reader = Annotated[Principal, reader("tariff")]
    CustomerReader = Annotated[Principal, customer_reader("tariff")]
    Writer = Annotated[Principal, writer("tariff")]
    WriteCause = Annotated[Cause, write_cause("tariff")]
    CustomerWriteCause = Annotated[Cause, customer_write_cause("tariff")]
"""

from typing import Annotated, Any

from fastapi import Depends

from gridtally.http.auth import Principal, require, require_or_operator
from gridtally.http.context import CorrelationId
from gridtally.kernel.resources import Cause


def reader(service: str) -> Any:
    """The dependency that lets in keys with the scope `<service>:read`, as their Principal."""
    return Depends(require(f"{service}:read"))


def customer_reader(service: str) -> Any:
    """As `reader`, where callers who are bound to a customer are let in too."""
    return Depends(require(f"{service}:read", open_to_customers=True))


def writer(service: str) -> Any:
    """The dependency that lets in keys with the scope `<service>:write`, as their Principal."""
    return Depends(require(f"{service}:write"))


def reader_or_operator(service: str) -> Any:
    """As `reader`; the operator's token is let in too, as a Principal of all tenants."""
    return Depends(require_or_operator(f"{service}:read"))


def writer_or_operator(service: str) -> Any:
    """As `writer`; the operator's token is let in too, as a Principal of all tenants."""
    return Depends(require_or_operator(f"{service}:write"))


def write_cause(service: str) -> Any:
    """The dependency that makes the Cause of a change by a key with `<service>:write`."""

    async def cause(
        caller: Annotated[Principal, writer(service)], correlation_id: CorrelationId
    ) -> Cause:
        return Cause(caller.tenant_id, caller.key_id, correlation_id)

    return Depends(cause)


def customer_write_cause(service: str) -> Any:
    """As `write_cause`, where callers who are bound to a customer are let in too.

    Bound they see their own rows alone and can write none: the handler checks under the binding
    whose the thing is, and writes within `for_all_customers`.
    """

    async def cause(
        caller: Annotated[Principal, Depends(require(f"{service}:write", open_to_customers=True))],
        correlation_id: CorrelationId,
    ) -> Cause:
        return Cause(caller.tenant_id, caller.key_id, correlation_id)

    return Depends(cause)
