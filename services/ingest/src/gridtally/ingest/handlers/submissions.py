"""Taking in what came over HTTP: checked against its meters, then published as a gateway would."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gridtally.database import Database, snapshot
from gridtally.ingest.domain.readings import sort_batch
from gridtally.ingest.domain.submissions import Submission, batch_of
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events.submissions import message_of
from gridtally.ingest.store.meters import fetch_meters
from gridtally.messaging import Publisher

_MICROSECOND = timedelta(microseconds=1)


class Intake:
    """Takes in the items of one request of a tenant, a batch at a time.

    Items arrive one after another, a microsecond apart, so that the last of several for an interval
    counts, in whatever batches they come.
    """

    def __init__(self, database: Database, publisher: Publisher, tenant_id: str) -> None:
        self._database = database
        self._publisher = publisher
        self._tenant_id = tenant_id
        self._next_at: datetime | None = None

    async def take_in(
        self, items: Sequence[Submission | Refusal], now: datetime
    ) -> list[UUID | Refusal]:
        """The event id of each item that was accepted, once the broker has acknowledged all of
        them, and why each other one was refused; Transient where the broker did not."""
        outcomes: dict[int, UUID | Refusal] = {
            index: item for index, item in enumerate(items) if isinstance(item, Refusal)
        }
        indexes = [index for index in range(len(items)) if index not in outcomes]
        submissions = [item for item in items if isinstance(item, Submission)]
        batch = batch_of(self._tenant_id, submissions, now)
        async with snapshot(self._database, tenant=self._tenant_id) as read:
            meters = await fetch_meters(read, batch.meter_keys)
        refused = sort_batch(meters, batch, now).refused
        outcomes |= {indexes[position]: refusal for position, refusal in refused.items()}
        first_at = max(now, self._next_at or now)
        messages = {
            index: message_of(submission, self._tenant_id, first_at + index * _MICROSECOND)
            for index, submission in zip(indexes, submissions, strict=True)
            if index not in outcomes
        }
        self._next_at = first_at + len(items) * _MICROSECOND
        if messages:
            await self._publisher.publish(list(messages.values()))
        outcomes |= {index: message.envelope.event_id for index, message in messages.items()}
        return [outcomes[index] for index in range(len(items))]
