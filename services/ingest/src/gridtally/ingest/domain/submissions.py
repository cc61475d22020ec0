"""What came over HTTP and waits to be published: blocks of readings, each with what names it.

Owns the batch that the rules see before anything is published, so that an item is refused at once
for what the consumer would refuse it for later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridtally.ingest.domain.merge import QUALITY_CODES
from gridtally.ingest.domain.readings import BlockBatch, channels_of
from gridtally.ingest.domain.validation import Block


@dataclass(frozen=True, slots=True)
class Submission:
    """A block as it came, and `value`, its JSON as it is published.

    `event_id` and `occurred_at` are None where the sender gave none: the block then gets an id of
    its arrival. `source` and `correlation_id` are those of its event.
    """

    block: Block
    value: bytes
    source: str
    correlation_id: str
    event_id: UUID | None = None
    occurred_at: datetime | None = None


def batch_of(tenant_id: str, submissions: Sequence[Submission], now: datetime) -> BlockBatch:
    """The blocks as the consumer will sort them, once they have come back from the broker."""
    blocks = [submission.block for submission in submissions]
    return BlockBatch(
        channels_of([tenant_id] * len(blocks), blocks),
        blocks,
        [submission.block.read_at or submission.occurred_at or now for submission in submissions],
        [QUALITY_CODES[block.quality] for block in blocks],
    )
