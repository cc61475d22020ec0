"""The way in: one object per installation and key, with the operations of every service.

with Client.from_environment() as gridtally:
    customer = gridtally.billing.create_customer(NewCustomer(name="Ada", currency="EUR"))
    for invoice in gridtally.billing.list_invoices(customer_id=customer.id):
        print(invoice.number, invoice.total)
"""

import os
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

import httpx

from gridtally.client.problems import ClientError
from gridtally.client.retries import Retries
from gridtally.client.untyped import AsyncUntyped

# Each service's operations are imported when a program first calls one: all of them take a second.
if TYPE_CHECKING:
    from gridtally.client.generated.billing import AsyncBilling, Billing
    from gridtally.client.generated.ingest import AsyncIngest, Ingest
    from gridtally.client.generated.ledger import AsyncLedger, Ledger
    from gridtally.client.generated.simulation import AsyncSimulation, Simulation
    from gridtally.client.generated.tariff import AsyncTariff, Tariff

SERVICES = ("ingest", "tariff", "billing", "ledger", "simulation")
TIMEOUT_S = 60.0
"""For each piece of an answer; a long export may take longer as a whole."""
API_KEY = "GRIDTALLY_API_KEY"
RETRIES = Retries()

Http = TypeVar("Http")


class NotConfigured(ClientError):
    """Where the services are, or the key, is not said."""


class Client:
    """Waits for each answer. `urls` has an address for each service that is called.

    Threads may share it. Close it, or use it in a `with` block.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        api_key: str,
        *,
        retries: Retries = RETRIES,
        timeout_s: float = TIMEOUT_S,
        customer: UUID | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Opens nothing yet. Every request is bound to `customer`, where one is named: it sees that
        customer's rows alone. `transport` stands in for the network."""
        headers = _headers(api_key, customer)
        self._http = {
            service: httpx.Client(
                base_url=url, headers=headers, timeout=timeout_s, transport=transport
            )
            for service, url in urls.items()
        }
        self._retries = retries

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **how: Any) -> Self:
        """As `INGEST_URL`, `TARIFF_URL`, … and `GRIDTALLY_API_KEY` say. NotConfigured."""
        return cls(*_configuration(environment), **how)

    @cached_property
    def ingest(self) -> "Ingest":
        """The operations of ingest."""
        from gridtally.client.generated.ingest import Ingest

        return Ingest("ingest", _of("ingest", self._http), self._retries)

    @cached_property
    def tariff(self) -> "Tariff":
        """The operations of tariff."""
        from gridtally.client.generated.tariff import Tariff

        return Tariff("tariff", _of("tariff", self._http), self._retries)

    @cached_property
    def billing(self) -> "Billing":
        """The operations of billing."""
        from gridtally.client.generated.billing import Billing

        return Billing("billing", _of("billing", self._http), self._retries)

    @cached_property
    def ledger(self) -> "Ledger":
        """The operations of ledger."""
        from gridtally.client.generated.ledger import Ledger

        return Ledger("ledger", _of("ledger", self._http), self._retries)

    @cached_property
    def simulation(self) -> "Simulation":
        """The operations of simulation."""
        from gridtally.client.generated.simulation import Simulation

        return Simulation("simulation", _of("simulation", self._http), self._retries)

    def close(self) -> None:
        """Close every connection."""
        for client in self._http.values():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient:
    """The same for an event loop."""

    def __init__(
        self,
        urls: Mapping[str, str],
        api_key: str,
        *,
        retries: Retries = RETRIES,
        timeout_s: float = TIMEOUT_S,
        customer: UUID | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Opens nothing yet. Every request is bound to `customer`, where one is named: it sees that
        customer's rows alone. `transport` stands in for the network."""
        headers = _headers(api_key, customer)
        self._http = {
            service: httpx.AsyncClient(
                base_url=url, headers=headers, timeout=timeout_s, transport=transport
            )
            for service, url in urls.items()
        }
        self._retries = retries

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **how: Any) -> Self:
        """As `INGEST_URL`, `TARIFF_URL`, … and `GRIDTALLY_API_KEY` say. NotConfigured."""
        return cls(*_configuration(environment), **how)

    @cached_property
    def ingest(self) -> "AsyncIngest":
        """The operations of ingest."""
        from gridtally.client.generated.ingest import AsyncIngest

        return AsyncIngest("ingest", _of("ingest", self._http), self._retries)

    @cached_property
    def tariff(self) -> "AsyncTariff":
        """The operations of tariff."""
        from gridtally.client.generated.tariff import AsyncTariff

        return AsyncTariff("tariff", _of("tariff", self._http), self._retries)

    @cached_property
    def billing(self) -> "AsyncBilling":
        """The operations of billing."""
        from gridtally.client.generated.billing import AsyncBilling

        return AsyncBilling("billing", _of("billing", self._http), self._retries)

    @cached_property
    def ledger(self) -> "AsyncLedger":
        """The operations of ledger."""
        from gridtally.client.generated.ledger import AsyncLedger

        return AsyncLedger("ledger", _of("ledger", self._http), self._retries)

    @cached_property
    def simulation(self) -> "AsyncSimulation":
        """The operations of simulation."""
        from gridtally.client.generated.simulation import AsyncSimulation

        return AsyncSimulation("simulation", _of("simulation", self._http), self._retries)

    def untyped(self, service: str) -> AsyncUntyped:
        """Calls of a service by method and path, in JSON as it came. NotConfigured."""
        return AsyncUntyped(service, _of(service, self._http), self._retries)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._http.values():
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _headers(api_key: str, customer: UUID | None) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {api_key}"}
    return headers if customer is None else headers | {"Gridtally-Customer": str(customer)}


def _of(service: str, clients: Mapping[str, Http]) -> Http:
    if service not in clients:
        raise NotConfigured(f"no address of {service} was given")
    return clients[service]


def _configuration(environment: Mapping[str, str]) -> tuple[dict[str, str], str]:
    urls = {
        service: environment[f"{service.upper()}_URL"]
        for service in SERVICES
        if f"{service.upper()}_URL" in environment
    }
    missing = [f"{service.upper()}_URL" for service in SERVICES if service not in urls]
    if API_KEY not in environment:
        missing.append(API_KEY)
    if missing:
        raise NotConfigured(f"set {', '.join(missing)}; `gridtally env` prints them")
    return urls, environment[API_KEY]
