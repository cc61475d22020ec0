"""`/v1/customers/{id}/registers` and `…/readings`: what a customer reads of its own meters."""

from uuid import UUID

from fastapi import Response

from gridtally.database import (
    ReadConnection,
    bound_customer,
    for_all_customers,
    snapshot,
    transaction,
)
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.kernel.errors import NotFound
from gridtally.ledger.callers import CustomerReader, CustomerWriteCause
from gridtally.ledger.metering.readings.domain.tenures import BACK_DAYS_MAX, AskedDays
from gridtally.ledger.metering.readings.handlers import customer_readings as handlers
from gridtally.ledger.metering.readings.schemas.customer_readings import (
    CustomerReadings,
    CustomerRegister,
    CustomerRegisters,
    NewCustomerReadings,
)
from gridtally.ledger.metering.readings.schemas.readings import Reading
from gridtally.ledger.metering.readings.store.customer_readings import (
    fetch_own_registers,
    is_customer_known,
)

router = Router(prefix="/v1/customers", tags=["readings"])


@router.get("/{customer_id}/registers")
async def list_customer_registers(
    customer_id: UUID, db: Db, caller: CustomerReader, now: Now
) -> CustomerRegisters:
    """The registers of the meters that are the customer's today, or were within the last 60 days,
    each with the last reading of the customer's own time of it."""
    is_bound = _require_own(customer_id)
    asked = AskedDays(now, days_before=BACK_DAYS_MAX)
    # Nothing of the registry is open to bound sessions: what is the customer's is found here.
    with for_all_customers():
        async with snapshot(db, tenant=caller.tenant_id) as read:
            await _require_known(read, caller.tenant_id, customer_id, is_bound=is_bound)
            own = await fetch_own_registers(read, caller.tenant_id, customer_id, asked)
    items = [CustomerRegister.of(register) for register in own]
    return CustomerRegisters(customer_id=customer_id, items=items)


@router.post("/{customer_id}/readings", status_code=201, response_model=CustomerReadings)
async def submit_customer_readings(
    customer_id: UUID,
    new: NewCustomerReadings,
    db: Db,
    cause: CustomerWriteCause,
    now: Now,
    request: Idempotent,
) -> Response:
    """Enter what a customer has read of its own registers on a day: all of it, or nothing.

    The readings have the note `read by the customer`. One of the same register and day that the
    customer sends again replaces the first; the same once more answers 200. A value lower than the
    last one, much higher than expected, or of a day before it is refused as `reading_unconfirmed`
    until it is sent as `confirmed`; readings of another's time of the meter are not compared with.
    A meter that is not the customer's on that local day is 404.
    """
    is_bound = _require_own(customer_id)
    submission = handlers.Submission(
        customer_id,
        new.read_on,
        [item.to_domain() for item in new.items],
        new.confirmed,
    )
    with for_all_customers():
        async with transaction(db, tenant=cause.tenant_id) as tx:
            if (stored_answer := await request.fetch_answer(tx)) is not None:
                return stored_answer
            await _require_known(tx, cause.tenant_id, customer_id, is_bound=is_bound)
            accepted = await handlers.submit_readings(tx, cause, submission, now)
            items = [Reading.of(reading.recorded) for reading in accepted]
            body = CustomerReadings(customer_id=customer_id, items=items)
            is_new = any(reading.created for reading in accepted)
            return await request.store_answer(tx, 201 if is_new else 200, body)


def _require_own(customer_id: UUID) -> bool:
    """Whether the caller is bound to the customer; NotFound where it is bound to another."""
    bound_to = bound_customer()
    if bound_to not in (None, customer_id):
        raise _unknown(customer_id)
    return bound_to is not None


async def _require_known(
    read: ReadConnection, tenant_id: str, customer_id: UUID, *, is_bound: bool
) -> None:
    """NotFound for a customer that nobody has heard of; of who is bound to it billing knows."""
    if not is_bound and not await is_customer_known(read, tenant_id, customer_id):
        raise _unknown(customer_id)


def _unknown(customer_id: UUID) -> NotFound:
    return NotFound("customer_unknown", f"there is no customer {customer_id}")
