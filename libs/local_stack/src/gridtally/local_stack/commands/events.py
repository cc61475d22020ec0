"""`gridtally follow events`: what the services publish, from the broker itself."""

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridtally.cli.commands.follow import Rows, Seconds, until_ended
from gridtally.cli.errors import CommandError, ServiceAway
from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.installation import Installation
    from gridtally.messaging import ReceivedMessage
    from gridtally.messaging.broker_access import BrokerAccess

SPEC_VERSION = "1.0"


def events(
    topics: Annotated[
        list[str] | None,
        typer.Argument(help="As `invoice.issued.v1`. [default: all]", show_default=False),
    ] = None,
    rows: Rows = None,
    seconds: Seconds = None,
    data_dir: DataDir = None,
    *,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="First what the topics still hold.")
    ] = False,
    all_tenants: Annotated[
        bool, typer.Option("--all-tenants", help="Not the key's tenant alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show events as they are published, a line each.

    Needs the broker: that of the local stack, or KAFKA_BOOTSTRAP_SERVERS with what it takes to
    reach it (KAFKA_SECURITY_PROTOCOL and its like). With --json a line is one JSON document, the
    event as CloudEvents spells it.
    """
    from gridtally.cli.installation import find_installation
    from gridtally.contracts.topics import TOPICS
    from gridtally.messaging.broker_settings import BrokerSettings, InvalidSettings, load

    for topic in topics or ():
        if topic not in TOPICS:
            raise CommandError(f"there is no topic {topic}; there are {', '.join(sorted(TOPICS))}")
    installation = find_installation(os.environ, data_dir)
    bootstrap = installation.bootstrap
    if bootstrap is None:
        raise CommandError("set KAFKA_BOOTSTRAP_SERVERS to where the broker answers")
    try:
        settings = load(lambda: BrokerSettings(kafka_bootstrap_servers=bootstrap))
    except InvalidSettings as invalid:
        raise CommandError(str(invalid)) from invalid
    following = _follow(
        installation,
        bootstrap,
        settings.broker_access,
        topics or sorted(TOPICS),
        rows=rows,
        from_start=from_start,
        all_tenants=all_tenants,
        as_json=as_json,
    )
    until_ended(following, seconds)


async def _follow(
    installation: "Installation",
    bootstrap: str,
    access: "BrokerAccess",
    topics: list[str],
    *,
    rows: int | None,
    from_start: bool,
    all_tenants: bool,
    as_json: bool,
) -> None:
    from gridtally.cli.report import print_json_line
    from gridtally.contracts.topics import TOPICS
    from gridtally.kernel.errors import Transient
    from gridtally.messaging import follow

    tenant_id = None if all_tenants else await _tenant_of(installation)
    kinds = [TOPICS[name].event for name in topics]
    shown = 0
    try:
        async for batch in follow(
            bootstrap, *kinds, from_start=from_start, access=access, pass_over=_tell_poison
        ):
            for message in batch:
                if tenant_id not in (None, message.envelope.tenant_id):
                    continue
                if as_json:
                    print_json_line(_cloud_event(message))
                else:
                    typer.echo(_line_of(message))
                shown += 1
                if shown == rows:
                    return
    except Transient as away:
        raise ServiceAway(f"{bootstrap}: {away}") from away


async def _tenant_of(installation: "Installation") -> str:
    async with installation.as_tenant() as api:
        me = await api.get("ledger", "/v1/me")
    return str(me["tenant_id"])


def _tell_poison(topic: str, reason: str) -> None:
    typer.echo(f"{topic}: passed over a message that nobody can understand: {reason}", err=True)


def _line_of(message: "ReceivedMessage[Any]") -> str:
    envelope = message.envelope
    is_tombstone = " (nothing is left of it)" if message.event is None else ""
    return (
        f"{envelope.occurred_at.isoformat()}  {message.topic}  {message.key}{is_tombstone}"
        f"  by {envelope.source} of {envelope.tenant_id}, correlation {envelope.correlation_id}"
    )


def _cloud_event(message: "ReceivedMessage[Any]") -> dict[str, Any]:
    envelope = message.envelope
    return {
        "specversion": SPEC_VERSION,
        "id": str(envelope.event_id),
        "type": envelope.event_type,
        "source": envelope.source,
        "time": envelope.occurred_at.isoformat(),
        "tenantid": envelope.tenant_id,
        "correlationid": envelope.correlation_id,
        "subject": message.key,
        "data": None if message.value is None else json.loads(message.value),
    }
