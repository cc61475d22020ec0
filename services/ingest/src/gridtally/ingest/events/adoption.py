"""What ingest has published, read back into what is stored."""

from gridtally.contracts.metering import PeriodClosed, UsageRecorded
from gridtally.ingest.domain.adoption import PublishedDay, PublishedPeriod
from gridtally.messaging import ReceivedMessage


def published_day(message: ReceivedMessage[UsageRecorded]) -> PublishedDay:
    """A channel-day as `usage.recorded` says it."""
    event = message.event
    assert event is not None  # noqa: S101 - the caller leaves tombstones out
    return PublishedDay(
        message.envelope.tenant_id,
        event.meter_id,
        event.flow,
        event.minutes,
        event.day,
        event.zone,
        event.version,
        event.recorded_at,
        message.envelope.correlation_id,
        event.quality,
        tuple(event.values),
    )


def published_period(message: ReceivedMessage[PeriodClosed]) -> PublishedPeriod:
    """A period as `period.closed` says it."""
    event = message.event
    assert event is not None  # noqa: S101 - the caller leaves tombstones out
    return PublishedPeriod(
        message.envelope.tenant_id,
        event.agreement_id,
        event.meter_id,
        event.start_on,
        event.end_on,
        event.revision,
        event.closed_by,
        event.closed_at,
        event.expected_intervals,
        event.present_intervals,
        {
            series.flow: sum(value for value in series.values if value is not None)
            for series in event.series
        },
        event.digest,
        message.envelope.correlation_id,
    )
