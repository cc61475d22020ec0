"""Alerts as events, and read back from them after a restore."""

from gridtally.contracts.alerts import AlertCleared, AlertRaised
from gridtally.ingest.domain.adoption import PublishedClearing
from gridtally.ingest.domain.alert_rules import KINDS
from gridtally.ingest.domain.alerts import WHOLE_METER, Alert
from gridtally.ingest.events import SOURCE
from gridtally.kernel.ids import derive_id
from gridtally.messaging import OutgoingMessage, ReceivedMessage


def alert_raised(alert: Alert) -> OutgoingMessage:
    """Publishes that an alert was raised."""
    return OutgoingMessage.of(
        AlertRaised(
            alert_id=alert.id,
            kind=alert.kind,
            meter_id=alert.meter_id,
            flow=alert.flow or None,
            number=alert.number,
            since_at=alert.since_at,
            day=alert.day,
            value=alert.value,
            limit=alert.limit,
            unit=KINDS[alert.kind].unit,
            raised_at=alert.raised_at,
        ),
        tenant_id=alert.tenant_id,
        correlation_id=alert.correlation_id,
        source=SOURCE,
        event_id=derive_id("alert.raised", alert.id),
        occurred_at=alert.raised_at,
    )


def alert_cleared(alert: Alert) -> OutgoingMessage:
    """Publishes that an alert was cleared."""
    assert alert.cleared_at is not None and alert.reason is not None  # noqa: S101, PT018 - it was
    return OutgoingMessage.of(
        AlertCleared(
            alert_id=alert.id,
            kind=alert.kind,
            meter_id=alert.meter_id,
            flow=alert.flow or None,
            number=alert.number,
            worst_value=alert.worst_value,
            limit=alert.limit,
            unit=KINDS[alert.kind].unit,
            reason=alert.reason,
            raised_at=alert.raised_at,
            cleared_at=alert.cleared_at,
        ),
        tenant_id=alert.tenant_id,
        correlation_id=alert.correlation_id,
        source=SOURCE,
        event_id=derive_id("alert.cleared", alert.id),
        occurred_at=alert.cleared_at,
    )


def published_alert(message: ReceivedMessage[AlertRaised]) -> Alert:
    """An alert as `alert.raised` says it: open, and not seen since."""
    event = message.event
    assert event is not None  # noqa: S101 - the caller leaves tombstones out
    return Alert(
        tenant_id=message.envelope.tenant_id,
        id=event.alert_id,
        meter_id=event.meter_id,
        kind=event.kind,
        flow=event.flow or WHOLE_METER,
        number=event.number,
        since_at=event.since_at,
        day=event.day,
        value=event.value,
        worst_value=event.value,
        limit=event.limit,
        raised_at=event.raised_at,
        seen_at=event.raised_at,
        correlation_id=message.envelope.correlation_id,
    )


def published_clearing(message: ReceivedMessage[AlertCleared]) -> PublishedClearing:
    """The end of an alert as `alert.cleared` says it."""
    event = message.event
    assert event is not None  # noqa: S101 - the caller leaves tombstones out
    return PublishedClearing(
        message.envelope.tenant_id,
        event.alert_id,
        event.worst_value,
        event.cleared_at,
        event.reason,
    )
