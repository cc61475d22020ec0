"""What derived meters are sums of, as events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gridtally.contracts import metering
from gridtally.contracts.metering import MeterDefined
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.events import SOURCE
from gridtally.ledger.metering.analytics.domain.definitions import Definition
from gridtally.ledger.registry.domain.meters import ActiveFlow
from gridtally.messaging import OutgoingMessage
from gridtally.metering.derived_meters import Term


def definitions_made(event: MeterDefined) -> list[Definition]:
    """The definitions that somebody has made, of those that count: the built-in one is nobody's."""
    return [
        Definition(
            definition.version,
            definition.from_on,
            tuple(
                Term(term.meter_id, term.sign, None if term.is_main else term.flow)
                for term in definition.terms
            ),
        )
        for definition in event.definitions
        if definition.from_on is not None and definition.version is not None
    ]


def meter_defined(
    meter_id: UUID,
    definitions: Sequence[Definition],
    main_flows: Mapping[UUID, ActiveFlow | None],
    newest: Definition,
    cause: Cause,
    at: datetime,
) -> OutgoingMessage:
    """`meter.defined`: all definitions of a derived meter that count, of which `newest` came last.

    A term without a flow counts by the main flow of its meter; one that is derived has none.
    """
    event = MeterDefined(
        meter_id=meter_id,
        definitions=[
            metering.Definition(
                from_on=definition.from_on,
                terms=[
                    metering.Term(
                        meter_id=term.meter_id,
                        sign=term.sign,
                        flow=term.flow or main_flows.get(term.meter_id),
                        is_main=term.flow is None,
                    )
                    for term in definition.terms
                ],
                version=definition.version,
            )
            for definition in definitions
        ],
        version=newest.version,
    )
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(MeterDefined.TOPIC, cause.tenant_id, meter_id, newest.version),
        occurred_at=at,
    )
