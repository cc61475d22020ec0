"""Which of the broker's failures pass with time, and which are defects.

Owns the one translation of aiokafka's errors to Transient.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    IllegalStateError,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    StaleMetadata,
    UnknownProducerId,
)

from gridtally.kernel.errors import Transient, is_closed_transport

_PASSING = (
    IllegalStateError,  # a rebalance took the partition away meanwhile
    KafkaConnectionError,
    KafkaTimeoutError,
    StaleMetadata,
    # the next ones end this producer for good, and the next producer is well
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
)


CLIENT_FAILURES = (KafkaError, OSError, RuntimeError)
"""What aiokafka's calls raise; `is_passing` says which of them are no defects."""


def is_passing(failure: BaseException) -> bool:
    """Whether the same call may succeed later, of a new client if need be."""
    if isinstance(failure, KafkaError):
        return failure.retriable or isinstance(failure, _PASSING)
    return isinstance(failure, OSError) or is_closed_transport(failure)


@contextmanager
def broker_calls() -> Iterator[None]:
    """Failures of the broker that pass with time leave as Transient, others as they are."""
    try:
        yield
    except CLIENT_FAILURES as failure:
        if not is_passing(failure):
            raise
        raise Transient(f"the broker does not answer: {failure!r}") from failure
