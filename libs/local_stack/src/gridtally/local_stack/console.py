"""Owns the console of the local stack: a process without a database, and the link that signs in."""

import json
import secrets
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gridtally.cli.installation import Installation
from gridtally.local_stack import process
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.postgres import write_secret
from gridtally.local_stack.server import Server
from gridtally.local_stack.services import PROBE_LIMIT_S, Service, url

CONSOLE = "console"
SECRET_FILE = "console-secret"  # noqa: S105 - a file's name
LINK_LIMIT_S = 12 * 3600
"""The link of a stack on loopback is opened whenever its user comes back to the shell."""


@contextmanager
def console(
    urls: Mapping[str, str],
    data_dir: Path,
    environment: Mapping[str, str],
    *,
    port: int | None,
    is_forked: bool,
    spawn: process.Spawn,
) -> Iterator[Server]:
    """The console over the services at `urls` for the length of the block.

    `environment` is what it gets beside its own settings. Raises StackError with the
    end of its log where it does not start.
    """
    settings = {
        **environment,
        **{f"{name.upper()}_URL": address for name, address in urls.items()},
        "CONSOLE_SECRETS": _secret(data_dir),
        "TICKET_LIMIT_S": str(LINK_LIMIT_S),
    }
    program = Service(CONSOLE, settings, is_forked=is_forked)
    directory = data_dir / "services" / CONSOLE
    with Server(program, directory, port, spawn=spawn) as running:
        yield running


def sign_in_link(running: Server, installation: Installation) -> str:
    """An address that signs in with the installation's key, once."""
    address = url(running.port)
    asked = urllib.request.Request(  # noqa: S310 - a fixed scheme and host
        f"{address}/v1/tickets",
        data=b"",
        method="POST",
        headers={"Authorization": f"Bearer {installation.api_key}"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=PROBE_LIMIT_S) as answer:  # noqa: S310 - the same
            return address + str(json.load(answer)["path"])
    except OSError as failure:
        raise StackError(f"the console gives no link: {failure}") from failure


def _secret(data_dir: Path) -> str:
    """So that those who are signed in stay so when the stack is taken down and up again."""
    path = data_dir / SECRET_FILE
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(48))
    return path.read_text()
