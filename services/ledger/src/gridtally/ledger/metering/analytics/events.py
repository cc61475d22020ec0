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
                    )
                    for term in definition.terms
                ],
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
