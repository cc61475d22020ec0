"""`gridtally keys`: API keys of tenants. The secret is shown once and kept nowhere."""

import asyncio
import os
from typing import Annotated

import typer

from gridtally.cli.options import AsJson, DataDir

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="The tenant that the key speaks for.")],
    name: Annotated[str, typer.Option(help="Who or what uses the key.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="<service>:read or <service>:write; repeat. [default: all]"),
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
    scopes = scope or list(SCOPES)
    installation = find_installation(os.environ, data_dir)
    key = new_key()
    asyncio.run(register_key(installation, key, tenant_id=tenant, name=name, scopes=scopes))
    if as_json:
        print_json({"key": key, "tenant_id": tenant, "name": name, "scopes": scopes})
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
    table = Table("key", "tenant", "name", "scopes", "created", "revoked")
    for keys in keys_by_service.values():
        for key in keys:
            scopes, revoked = ", ".join(key["scopes"]), key["revoked_at"] or ""
            row = (key["key_id"], key["tenant_id"], key["name"], scopes, key["created_at"], revoked)
            table.add_row(*row)
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
