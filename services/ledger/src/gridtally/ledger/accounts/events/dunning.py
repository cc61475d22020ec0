"""Events of dunning on one side, the domain's values on the other."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gridtally.contracts.dunning import (
    DunningNoticeChanged,
    DunningRulesChanged,
    DunningStopChanged,
)
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import in_currency
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.dunning import DunnedItem, DunningNotice, DunningStop
from gridtally.ledger.events import SOURCE
from gridtally.messaging import OutgoingMessage


def dunning_rules_changed(
    rules: Mapping[str, object], version: int, cause: Cause, at: datetime
) -> OutgoingMessage:
    """`dunning_rules.changed`: a tenant's rules as they are from now on."""
    event = DunningRulesChanged.model_validate({**rules, "version": version})
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, version, at.isoformat()),
        occurred_at=at,
    )


def dunning_notice_changed(
    notice: DunningNotice, version: int, tenant_id: str, correlation_id: str | None = None
) -> OutgoingMessage:
    """`dunning_notice.changed`: a notice that was issued, for its run, or withdrawn."""
    amounts = {
        name: in_currency(getattr(notice, name), notice.currency)
        for name in ("others", "credit", "fee", "total")
    }
    event = DunningNoticeChanged.model_validate(
        {
            "notice_id": notice.id,
            "run_id": notice.run_id,
            "customer_id": notice.customer_id,
            "currency": notice.currency,
            "dunned_on": notice.dunned_on,
            "level": notice.level,
            "name": notice.name,
            "items": [
                {
                    "invoice_id": item.id,
                    "level": item.level,
                    "due_on": item.due_on,
                    "open": in_currency(item.open, notice.currency),
                }
                for item in notice.items
            ],
            **amounts,
            "pay_by": notice.pay_by,
            "issued_at": notice.issued_at,
            "withdrawn_at": notice.withdrawn_at,
            "withdraw_reason": notice.withdraw_reason,
            "version": version,
        }
    )
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=correlation_id or str(notice.run_id),
        source=SOURCE,
        event_id=derive_id(event.TOPIC, tenant_id, notice.id, version),
        occurred_at=notice.withdrawn_at or notice.issued_at,
    )


def dunning_notice(event: DunningNoticeChanged) -> DunningNotice:
    """A notice as it was published."""
    return DunningNotice(
        id=event.notice_id,
        run_id=event.run_id,
        customer_id=event.customer_id,
        currency=event.currency,
        dunned_on=event.dunned_on,
        level=event.level,
        name=event.name,
        items=tuple(
            DunnedItem(item.invoice_id, item.level, item.due_on, item.open) for item in event.items
        ),
        others=event.others,
        credit=event.credit,
        fee=event.fee,
        pay_by=event.pay_by,
        issued_at=event.issued_at,
        withdrawn_at=event.withdrawn_at,
        withdraw_reason=event.withdraw_reason,
    )


def dunning_stop_changed(
    customer_id: UUID, stop: DunningStop | None, version: int, cause: Cause, at: datetime
) -> OutgoingMessage:
    """`dunning_stop.changed`: a customer gets no notices, or does so again."""
    event = DunningStopChanged(
        customer_id=customer_id,
        reason=None if stop is None else stop.reason,
        until=None if stop is None else stop.until,
        version=version,
    )
    event_id = derive_id(event.TOPIC, cause.tenant_id, customer_id, version)
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=event_id,
        occurred_at=at,
    )
