"""The local stack as an installation that commands can talk to, with a key for its one tenant."""

from pathlib import Path

from gridtally.cli.api_keys import new_key, register_key
from gridtally.cli.installation import SCOPES, Installation, read_secret
from gridtally.cli.stack_state import API_KEY
from gridtally.local_stack.postgres import write_secret
from gridtally.local_stack.stack import Stack

LOCAL_TENANT = "local"


async def open_installation(stack: Stack, data_dir: Path) -> Installation:
    """The running stack with a key for its tenant, which is made at the first start."""
    installation = Installation(stack.urls, stack.servers.bootstrap, stack.operator_token)
    path = data_dir / API_KEY
    key = read_secret(path)
    if key is None:
        key = new_key()
        write_secret(path, key)
    await register_key(installation, key, tenant_id=LOCAL_TENANT, name="local stack", scopes=SCOPES)
    return Installation(installation.urls, installation.bootstrap, installation.operator_token, key)
