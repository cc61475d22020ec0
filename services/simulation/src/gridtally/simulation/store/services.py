"""Other services, met over HTTP: ingest's readings and tariff's versions.

Both are read while a person waits or a chunk is rated, never while anything is booked. What is away
is Transient: the chunk is tried again, a request is answered 503.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import numpy as np

from gridtally.client.problems import problem_of
from gridtally.kernel.errors import NotFound, Rejected, Transient
from gridtally.kernel.periods import Period
from gridtally.rating.price_days import PriceDay
from gridtally.rating.usage import ACTIVE_FLOWS, MISSING, REACTIVE_FLOWS, Flow
from gridtally.simulation.domain.comparisons import UsedTariff
from gridtally.simulation.domain.house_bills import MeterSeries

TIMEOUT_S = 120.0
TENANT_HEADER = "Gridtally-Tenant"
PAGE_MAX = 500
"""Days of prices that are asked for at once."""
ARROW = "application/vnd.apache.arrow.stream"
FLOWS: tuple[Flow, ...] = (*ACTIVE_FLOWS, *REACTIVE_FLOWS)
VERSION_FIELDS = ("id", "tariff_id", "number", "status", "effective_from", "version", "updated_at")
"""What is stored of the version of a tariff beside its document."""
TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}


class Services:
    """Where ingest and tariff answer, the token that is shown to both, and whose certificates are
    believed.

    A client of each is opened at the first call and lives as long as the process.
    """

    def __init__(
        self,
        ingest_url: str,
        tariff_url: str,
        token: str | None,
        *,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        self._urls = {"ingest": ingest_url, "tariff": tariff_url}
        self._token = token
        self._trusted = trusted
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def fetch_tariff(self, tenant_id: str, version_id: UUID) -> UsedTariff:
        """A tariff's version, published or draft, as it is now; NotFound where there is none."""
        try:
            answer = await self._get("tariff", f"/v1/tariff-versions/{version_id}", tenant_id)
        except NotFound:
            raise NotFound(
                "version_unknown", f"no tariff version has the id {version_id}"
            ) from None
        version = answer.json()
        said = {name: version.get(name) for name in VERSION_FIELDS}
        return UsedTariff(version["document"], said)

    async def fetch_prices(self, tenant_id: str, code: str, days: Period) -> list[PriceDay]:
        """The prices of a series on these local days of the market, in order, as they are now.

        Rejected where there is no series of that code.
        """
        answer = await self._get("tariff", "/v1/price-series", tenant_id, {"code": code})
        if not (known := answer.json()["items"]):
            raise Rejected("prices_missing", f"there is no price series with the code {code}")
        [series] = known
        path = f"/v1/price-series/{series['id']}/prices"
        asked = {"from": str(days.start_on), "to": str(days.end_on), "limit": str(PAGE_MAX)}
        price_days: list[PriceDay] = []
        while True:
            page = (await self._get("tariff", path, tenant_id, asked)).json()
            price_days += [_price_day(day, series["zone"]) for day in page["items"]]
            if page["next_cursor"] is None:
                return price_days
            asked["cursor"] = page["next_cursor"]

    async def fetch_series(
        self,
        tenant_id: str,
        meter_ids: Sequence[UUID],
        month: Period,
        beat: Callable[[], None],
        *,
        as_known_at: datetime | None = None,
    ) -> Mapping[UUID, list[MeterSeries]]:
        """Every flow of the meters over the month; `MISSING` where there is no value. What is there
        now, or what had been received by `as_known_at`, which takes much longer. `beat` is called
        for each piece that arrives.

        Rejected where ingest refuses, for a meter that it does not know for instance.
        """
        query = {
            "meter_ids": [str(id_) for id_ in meter_ids],
            "flows": list(FLOWS),
            "start_on": month.start_on.isoformat(),
            "end_on": month.end_on.isoformat(),
            "as_known_at": None if as_known_at is None else as_known_at.isoformat(),
        }
        stream = await self._read("ingest", "/v1/series/query", tenant_id, query, beat)
        try:
            return await asyncio.to_thread(_by_meter, stream)
        except ValueError as cut_off:
            raise Transient(f"ingest's answer was cut off: {cut_off}") from cut_off

    async def _read(
        self, service: str, path: str, tenant_id: str, query: Any, beat: Callable[[], None]
    ) -> bytes:
        """The whole answer to a query whose answer is a stream."""
        client, headers = self._client(service), self._headers(service, tenant_id, ARROW)
        try:
            async with client.stream("POST", path, json=query, headers=headers) as answer:
                if answer.is_error:
                    await answer.aread()
                    self._check(service, answer)
                pieces: list[bytes] = []
                async for piece in answer.aiter_bytes():
                    pieces.append(piece)
                    beat()
                return b"".join(pieces)
        except httpx.HTTPError as failure:
            raise Transient(f"{service} does not answer: {failure!r}") from failure

    async def _get(
        self, service: str, path: str, tenant_id: str, asked: Mapping[str, str] | None = None
    ) -> httpx.Response:
        headers = self._headers(service, tenant_id, "application/json")
        try:
            answer = await self._client(service).get(path, params=asked, headers=headers)
        except httpx.HTTPError as failure:
            raise Transient(f"{service} does not answer: {failure!r}") from failure
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFound("not_found", f"{service} knows no such thing")
        self._check(service, answer)
        return answer

    def _headers(self, service: str, tenant_id: str, accept: str) -> dict[str, str]:
        """Rejected where no token is known, which neither service would answer without."""
        if self._token is None:
            raise Rejected(
                "service_token_unset",
                f"this installation has no SERVICE_TOKEN, so {service} cannot be read",
            )
        return {
            "Authorization": f"Bearer {self._token}",
            TENANT_HEADER: tenant_id,
            "Accept": accept,
        }

    def _client(self, service: str) -> httpx.AsyncClient:
        if service not in self._clients:
            self._clients[service] = httpx.AsyncClient(
                base_url=self._urls[service], timeout=TIMEOUT_S, verify=self._trusted
            )
        return self._clients[service]

    def _check(self, service: str, answer: httpx.Response) -> None:
        """Transient where the same request may succeed later, Rejected where it never will."""
        if answer.status_code in TRANSIENT_STATUSES:
            raise Transient(f"{service} answers {answer.status_code}")
        if answer.is_error:
            problem = problem_of(answer.status_code, answer.headers, answer.content)
            raise Rejected("source_refused", f"{service} refuses: {problem.detail}")


def _price_day(answered: Mapping[str, Any], zone: str) -> PriceDay:
    """A day of prices as tariff answers it; of a series, which alone knows its zone."""
    return PriceDay(
        day=date.fromisoformat(answered["day"]),
        zone=zone,
        minutes=answered["minutes"],
        currency=answered["currency"],
        version=answered["version"],
        prices=tuple(None if price is None else Decimal(price) for price in answered["prices"]),
    )


def _by_meter(stream: bytes) -> dict[UUID, list[MeterSeries]]:
    # Here and not above: Arrow takes tens of megabytes, which only workers need.
    from gridtally.exports.series import MISSING as ABSENT
    from gridtally.exports.series import read_series

    by_meter: dict[str, list[MeterSeries]] = {}
    for row, values in read_series(stream, ("meter_id", "flow", "minutes", "quality")):
        energy = values
        if values.min(initial=0) == ABSENT:
            measured = np.frombuffer(row["quality"].encode(), np.uint8) != ord("N")
            energy = np.where(values == ABSENT, np.where(measured, MISSING, 0), values)
        series = MeterSeries(row["flow"], row["minutes"], energy)
        by_meter.setdefault(row["meter_id"], []).append(series)
    return {UUID(meter_id): series for meter_id, series in by_meter.items()}
