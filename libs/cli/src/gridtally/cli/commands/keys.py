"""`gridtally keys`: API keys of tenants. The secret is shown once and kept nowhere."""

import asyncio
import os
from typing import Annotated
from uuid import UUID

import typer

from gridtally.cli.options import AsJson, DataDir

READ_BY_CUSTOMERS = ("billing:read", "ledger:read")
"""What is open to customers."""
app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="The tenant that the key speaks for.")],
    name: Annotated[str, typer.Option(help="Who or what uses the key.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="<service>:read or <service>:write; repeat. [default: all; with --customer, to"
            " read from billing and the ledger]"
        ),
    ] = None,
    customer: Annotated[
        UUID | None, typer.Option(help="The customer whose rows alone the key sees.")
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it; this is the only time that it is shown."""
    from gridtally.cli.api_keys import new_key, register_key
    from gridtally.cli.installation import SCOPES, find_installation
    from gridtally.cli.report import print_json

    if unknown := sorted(set(scope or ()) - set(SCOPES)):
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(SCOPES)}")
    scopes = scope or (list(SCOPES) if customer is None else list(READ_BY_CUSTOMERS))
    installation = find_installation(os.environ, data_dir)
    key = new_key()
    named = {"tenant_id": tenant, "name": name}
    asyncio.run(register_key(installation, key, scopes=scopes, customer_id=customer, **named))
    if as_json:
        bound = None if customer is None else str(customer)
        print_json({"key": key, **named, "scopes": scopes, "customer_id": bound})
    else:
        typer.echo(key)


@app.command("list")
def list_keys(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the keys of every service, without their secrets."""
    from rich.console import Console
    from rich.table import Table

    from gridtally.cli.api import Json
    from gridtally.cli.installation import SERVICES, find_installation
    from gridtally.cli.report import print_json

    installation = find_installation(os.environ, data_dir)

    async def fetch() -> dict[str, list[Json]]:
        params = {"tenant_id": tenant} if tenant else {}
        async with installation.as_operator() as api:
            return {
                service: [item async for item in api.items(service, "/v1/keys", **params)]
                for service in SERVICES
            }

    keys_by_service = asyncio.run(fetch())
    if as_json:
        print_json(keys_by_service)
        return
    table = Table("key", "tenant", "name", "customer", "scopes", "created", "revoked")
    for keys in keys_by_service.values():
        for key in keys:
            shown = [key[name] for name in ("key_id", "tenant_id", "name", "customer_id")]
            times = key["created_at"], key["revoked_at"]
            table.add_row(*(cell or "" for cell in (*shown, ", ".join(key["scopes"]), *times)))
    Console(highlight=False).print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The middle part of the key.")],
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """End a key at every service that knows it, for good."""
    from gridtally.cli.errors import CommandError
    from gridtally.cli.installation import SERVICES, find_installation
    from gridtally.cli.report import print_json

    installation = find_installation(os.environ, data_dir)

    async def end() -> list[str]:
        ended = []
        async with installation.as_operator() as api:
            for service in SERVICES:
                known = [item["key_id"] async for item in api.items(service, "/v1/keys")]
                if key_id in known:
                    await api.call(service, "DELETE", f"/v1/keys/{key_id}")
                    ended.append(service)
        return ended

    ended = asyncio.run(end())
    if not ended:
        raise CommandError(f"no service knows a key {key_id}")
    if as_json:
        print_json({"key_id": key_id, "revoked_at": ended})
    else:
        typer.echo(f"revoked at {', '.join(ended)}")
