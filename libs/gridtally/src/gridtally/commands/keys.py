"""`gridtally keys`: API keys of tenants. The secret is shown once and kept nowhere."""

import asyncio
import os
from typing import Annotated

import typer

from gridtally.commands.local import DataDir

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
) -> None:
    """Make a key and print it; this is the only time that it is shown."""
    from gridtally.installation import SCOPES, find_installation, new_key, register_key
    from gridtally.stack.local import default_data_dir

    unknown = sorted(set(scope or ()) - set(SCOPES))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(SCOPES)}")
    found = find_installation(os.environ, data_dir or default_data_dir(os.environ))
    key = new_key()
    asyncio.run(register_key(found, key, tenant_id=tenant, name=name, scopes=scope or SCOPES))
    typer.echo(key)


@app.command("list")
def list_keys(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Show the keys of every service, without their secrets."""
    from rich.console import Console
    from rich.table import Table

    from gridtally.api import Json
    from gridtally.installation import find_installation
    from gridtally.stack.local import default_data_dir
    from gridtally.stack.services import SERVICES

    found = find_installation(os.environ, data_dir or default_data_dir(os.environ))

    async def fetch() -> dict[str, list[Json]]:
        params = {"tenant_id": tenant} if tenant else {}
        async with found.as_operator() as api:
            return {
                service: [item async for item in api.items(service, "/v1/keys", **params)]
                for service in SERVICES
            }

    table = Table("key", "tenant", "name", "scopes", "created", "revoked")
    for keys in asyncio.run(fetch()).values():
        for key in keys:
            scopes, revoked = ", ".join(key["scopes"]), key["revoked_at"] or ""
            row = (key["key_id"], key["tenant_id"], key["name"], scopes, key["created_at"], revoked)
            table.add_row(*row)
    Console(highlight=False).print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The middle part of the key.")],
    data_dir: DataDir = None,
) -> None:
    """End a key at every service that knows it, for good."""
    from gridtally.errors import CommandError
    from gridtally.installation import find_installation
    from gridtally.stack.local import default_data_dir
    from gridtally.stack.services import SERVICES

    found = find_installation(os.environ, data_dir or default_data_dir(os.environ))

    async def end() -> list[str]:
        ended = []
        async with found.as_operator() as api:
            for service in SERVICES:
                known = [item["key_id"] async for item in api.items(service, "/v1/keys")]
                if key_id in known:
                    await api.call(service, "DELETE", f"/v1/keys/{key_id}")
                    ended.append(service)
        return ended

    ended = asyncio.run(end())
    if not ended:
        raise CommandError(f"no service knows a key {key_id}")
    typer.echo(f"revoked at {', '.join(ended)}")
