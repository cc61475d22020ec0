"""Where Gridtally runs: the URLs of its services, its broker, and the secrets to reach them.

Taken from the environment (`INGEST_URL`, …, `KAFKA_BOOTSTRAP_SERVERS`, `GRIDTALLY_API_KEY`,
`GRIDTALLY_OPERATOR_TOKEN`), else from the local stack that is up. Shows no secret by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gridtally.cli.api import Api
from gridtally.cli.errors import CommandError
from gridtally.cli.stack_state import API_KEY, OPERATOR_TOKEN, default_data_dir, read_state

SERVICES = ("ingest", "tariff", "billing", "ledger", "simulation")
SCOPES = tuple(f"{service}:{right}" for service in SERVICES for right in ("read", "write"))


@dataclass(frozen=True, slots=True)
class Installation:
    """Where everything answers; the secrets are None where they are not known."""

    urls: Mapping[str, str]
    bootstrap: str | None
    operator_token: str | None = field(repr=False, default=None)
    api_key: str | None = field(repr=False, default=None)

    def as_operator(self) -> Api:
        """Calls that make and revoke keys; CommandError without the operator's token."""
        if self.operator_token is None:
            raise CommandError("set GRIDTALLY_OPERATOR_TOKEN to the operator's token")
        return Api(self.urls, self.operator_token)

    def as_tenant(self) -> Api:
        """Calls for the tenant of the key; CommandError without one."""
        if self.api_key is None:
            raise CommandError("set GRIDTALLY_API_KEY to a key made by `gridtally keys create`")
        return Api(self.urls, self.api_key)


def find_installation(environment: Mapping[str, str], data_dir: Path | None) -> Installation:
    """The installation that the environment names, else the local stack in `data_dir`.

    Without `data_dir` the user's own is looked at. CommandError, saying what to set, where there
    is neither.
    """
    names = {service: f"{service.upper()}_URL" for service in SERVICES}
    given = {service: environment[name] for service, name in names.items() if name in environment}
    if len(given) == len(SERVICES):
        return Installation(
            urls=given,
            bootstrap=environment.get("KAFKA_BOOTSTRAP_SERVERS"),
            operator_token=environment.get("GRIDTALLY_OPERATOR_TOKEN"),
            api_key=environment.get("GRIDTALLY_API_KEY"),
        )
    folder = data_dir or default_data_dir(environment)
    state = read_state(folder)
    if state is None or not state.ready or state.owner.find() is None:
        missing = ", ".join(name for service, name in names.items() if service not in given)
        raise CommandError(
            f"no Gridtally is up in {folder}: start one with `gridtally up`, or set {missing}"
        )
    addresses = {process.name: process.address for process in state.processes}
    return Installation(
        urls={service: addresses[service] for service in SERVICES},
        bootstrap=addresses.get("kafka", environment.get("KAFKA_BOOTSTRAP_SERVERS")),
        operator_token=read_secret(folder / OPERATOR_TOKEN),
        api_key=environment.get("GRIDTALLY_API_KEY") or read_secret(folder / API_KEY),
    )


def settings_of(installation: Installation) -> dict[str, str]:
    """The variables of the environment by which programs find it, the key among them."""
    settings = {f"{service.upper()}_URL": installation.urls[service] for service in SERVICES}
    if installation.bootstrap is not None:
        settings["KAFKA_BOOTSTRAP_SERVERS"] = installation.bootstrap
    if installation.api_key is not None:
        settings["GRIDTALLY_API_KEY"] = installation.api_key
    return settings


def read_secret(path: Path) -> str | None:
    """The secret in a file; None where there is no such file."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
