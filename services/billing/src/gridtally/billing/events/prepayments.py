"""`prepayment.changed`: written, and read back after a restore."""

from collections.abc import Mapping
from datetime import datetime

from gridtally.billing.domain.prepayments import Position, Prepayment, RaisedAlert, Terms
from gridtally.billing.events.json_form import SOURCE
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.kernel.ids import derive_id
from gridtally.messaging import OutgoingMessage


def terms_changed(
    tenant_id: str, prepayment: Prepayment, correlation_id: str, now: datetime
) -> OutgoingMessage:
    """That a customer is on prepayment by these terms, or is not any more."""
    change = "terms" if prepayment.is_active else "end"
    balance = None if prepayment.alert is None else prepayment.alert.balance
    return _message(
        tenant_id, prepayment, correlation_id, now, {"change": change, "balance": balance}
    )


def alert_changed(
    tenant_id: str, prepayment: Prepayment, currency: str, now_is: Position, now: datetime
) -> OutgoingMessage:
    """That an alert was raised or has ended, and what is left."""
    fields = {
        "change": "alert",
        "currency": currency,
        "balance": now_is.balance,
        "drawn_through": now_is.drawn_through,
        "empty_on": now_is.empty_on,
    }
    return _message(tenant_id, prepayment, None, now, fields)


def prepayment_of(event: PrepaymentChanged) -> Prepayment:
    """A prepayment as it was published."""
    alert = None
    if event.alert is not None and event.alert_since is not None and event.balance is not None:
        alert = RaisedAlert(event.alert, event.alert_since, event.balance)
    terms = Terms(event.customer_id, event.alert_amount, event.alert_days)
    return Prepayment(terms, event.state == "active", alert, event.version)


def _message(
    tenant_id: str,
    prepayment: Prepayment,
    correlation_id: str | None,
    now: datetime,
    fields: Mapping[str, object],
) -> OutgoingMessage:
    alert = prepayment.alert
    event = PrepaymentChanged.model_validate(
        {
            "customer_id": prepayment.terms.customer_id,
            "state": "active" if prepayment.is_active else "ended",
            "alert_amount": prepayment.terms.alert_amount,
            "alert_days": prepayment.terms.alert_days,
            "alert": None if alert is None else alert.kind,
            "alert_since": None if alert is None else alert.since,
            "version": prepayment.version,
            **fields,
        }
    )
    event_id = derive_id(event.TOPIC, tenant_id, event.customer_id, event.version)
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=correlation_id or str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )
