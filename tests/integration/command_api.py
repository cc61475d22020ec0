"""The command's way to a service that runs inside of a test."""

from gridtally.cli.api import Api


def command_api(service, client):
    """What the command calls through, with the key of a client of that service's application."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return Api({service: str(client.base_url)}, token, transport=client._transport)
