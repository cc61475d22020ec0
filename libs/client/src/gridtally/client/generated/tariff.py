"""The operations of tariff. Generated from docs/openapi/tariff.json by `make docs`."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from gridtally.client.generated import tariff_models as models
from gridtally.client.requests import Content
from gridtally.client.transports import AsyncOperations, Operations


class Tariff(Operations):
    """The operations of tariff."""

    def create_region(self, body: models.NewRegion) -> models.Region:
        """Create a region; the same again answers 200 with what exists."""
        return self._call(models.Region, "POST", "/v1/regions", body=body)

    def list_regions(
        self,
        *,
        code: str | None = None,
        zone: str | None = None,
        kind: Literal["municipality", "grid_area"] | None = None,
        parent_id: UUID | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Region]:
        """Regions, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfRegion,
            "GET",
            "/v1/regions",
            query={
                "code": code,
                "zone": zone,
                "kind": kind,
                "parent_id": parent_id,
                "text": text,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_region(self, region_id: UUID) -> models.Region:
        """One region."""
        return self._call(
            models.Region, "GET", "/v1/regions/{region_id}", parts={"region_id": region_id}
        )

    def change_region(
        self, region_id: UUID, body: models.RegionChange, *, if_match: int | str | None = None
    ) -> models.Region:
        """Change what is named."""
        return self._call(
            models.Region,
            "PATCH",
            "/v1/regions/{region_id}",
            parts={"region_id": region_id},
            body=body,
            if_match=if_match,
        )

    def delete_region(self, region_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a region; 409 where regions or tariffs lie in it."""
        self._do(
            "DELETE", "/v1/regions/{region_id}", parts={"region_id": region_id}, if_match=if_match
        )

    def list_tariffs_of_region(
        self,
        region_id: UUID,
        *,
        inherited: bool | None = None,
        in_force_on: date | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Tariff]:
        """The tariffs that apply to the sites in a region."""
        return self._pages(
            models.PageOfTariff,
            "GET",
            "/v1/regions/{region_id}/tariffs",
            parts={"region_id": region_id},
            query={
                "inherited": inherited,
                "in_force_on": in_force_on,
                "sort": sort,
                "limit": limit,
            },
        )

    def create_tariff(self, body: models.NewTariff) -> models.Tariff:
        """Create a tariff; the same again answers 200 with what exists."""
        return self._call(models.Tariff, "POST", "/v1/tariffs", body=body)

    def list_tariffs(
        self,
        *,
        code: str | None = None,
        currency: str | None = None,
        zone: str | None = None,
        region_id: UUID | None = None,
        status: Literal["draft", "published", "withdrawn"] | None = None,
        in_force_on: date | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Tariff]:
        """Tariffs, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfTariff,
            "GET",
            "/v1/tariffs",
            query={
                "code": code,
                "currency": currency,
                "zone": zone,
                "region_id": region_id,
                "status": status,
                "in_force_on": in_force_on,
                "text": text,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_tariff(self, tariff_id: UUID) -> models.Tariff:
        """One tariff."""
        return self._call(
            models.Tariff, "GET", "/v1/tariffs/{tariff_id}", parts={"tariff_id": tariff_id}
        )

    def change_tariff(
        self, tariff_id: UUID, body: models.TariffChange, *, if_match: int | str | None = None
    ) -> models.Tariff:
        """Change what is named."""
        return self._call(
            models.Tariff,
            "PATCH",
            "/v1/tariffs/{tariff_id}",
            parts={"tariff_id": tariff_id},
            body=body,
            if_match=if_match,
        )

    def delete_tariff(self, tariff_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a tariff without versions; 409 where it has any."""
        self._do(
            "DELETE", "/v1/tariffs/{tariff_id}", parts={"tariff_id": tariff_id}, if_match=if_match
        )

    def draft_tariff_version(
        self, tariff_id: UUID, body: models.NewTariffVersion
    ) -> models.TariffVersion:
        """Draft a version with the next number; the same again answers 200 with what exists."""
        return self._call(
            models.TariffVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions",
            parts={"tariff_id": tariff_id},
            body=body,
        )

    def list_tariff_versions(
        self,
        tariff_id: UUID,
        *,
        status: Literal["draft", "published", "withdrawn"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.TariffVersion]:
        """The tariff's versions by number."""
        return self._pages(
            models.PageOfTariffVersion,
            "GET",
            "/v1/tariffs/{tariff_id}/versions",
            parts={"tariff_id": tariff_id},
            query={"status": status, "limit": limit},
        )

    def validate_tariff_version(
        self, tariff_id: UUID, body: models.TariffVersionTerms
    ) -> models.Verdict:
        """Look for everything that keeps such a version from being published; nothing is stored."""
        return self._call(
            models.Verdict,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/validate",
            parts={"tariff_id": tariff_id},
            body=body,
        )

    def get_tariff_version_in_force(self, tariff_id: UUID, *, on: date) -> models.TariffVersion:
        """The version in force on a local date: of the published versions whose dates hold it,
        and that are not withdrawn from it on, the one that began last; of those that began on
        the same date, the highest number. 404 where there is none.
        """
        return self._call(
            models.TariffVersion,
            "GET",
            "/v1/tariffs/{tariff_id}/versions/in-force",
            parts={"tariff_id": tariff_id},
            query={"on": on},
        )

    def get_tariff_version(self, tariff_id: UUID, number: int) -> models.TariffVersion:
        """One version."""
        return self._call(
            models.TariffVersion,
            "GET",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
        )

    def replace_tariff_draft(
        self,
        tariff_id: UUID,
        number: int,
        body: models.TariffVersionTerms,
        *,
        if_match: int | str | None = None,
    ) -> models.TariffVersion:
        """Replace what a draft says; 409 once it is published."""
        return self._call(
            models.TariffVersion,
            "PUT",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
            if_match=if_match,
        )

    def change_tariff_draft(
        self,
        tariff_id: UUID,
        number: int,
        body: models.TariffVersionChange,
        *,
        if_match: int | str | None = None,
    ) -> models.TariffVersion:
        """Change a draft's dates or note and leave its document; 409 once it is published."""
        return self._call(
            models.TariffVersion,
            "PATCH",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
            if_match=if_match,
        )

    def delete_tariff_draft(
        self, tariff_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> None:
        """Delete a draft, whose number is not given again; 409 once it is published."""
        self._do(
            "DELETE",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
            if_match=if_match,
        )

    def publish_tariff_version(
        self, tariff_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> models.TariffVersion:
        """Put a draft in force for good, and publish it. Publishing again changes nothing."""
        return self._call(
            models.TariffVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/{number}/publish",
            parts={"tariff_id": tariff_id, "number": number},
            if_match=if_match,
        )

    def withdraw_tariff_version(
        self,
        tariff_id: UUID,
        number: int,
        body: models.WithdrawalRequest,
        *,
        if_match: int | str | None = None,
    ) -> models.TariffVersion:
        """Take a published version out of force from a local date on, and publish that. What was
        billed by it stays. Withdrawing again from the same date changes nothing.
        """
        return self._call(
            models.TariffVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/{number}/withdraw",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
            if_match=if_match,
        )

    def import_portal_tariff(
        self, tariff_id: UUID, body: models.NewPortalTariff
    ) -> models.ImportedVersion:
        """Draft a version from a portal's document, with a report of what is not understood.

        It is read on the clock and in the currency of the tariff. The same again, by its id,
        answers 200 with what exists.
        """
        return self._call(
            models.ImportedVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/import",
            parts={"tariff_id": tariff_id},
            body=body,
        )

    def create_calendar(self, body: models.NewCalendar) -> models.Calendar:
        """Create a calendar; the same again answers 200 with what exists."""
        return self._call(models.Calendar, "POST", "/v1/calendars", body=body)

    def list_calendars(
        self,
        *,
        code: str | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Calendar]:
        """Calendars, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfCalendar,
            "GET",
            "/v1/calendars",
            query={"code": code, "text": text, "sort": sort, "limit": limit},
        )

    def get_calendar(self, calendar_id: UUID) -> models.Calendar:
        """One calendar."""
        return self._call(
            models.Calendar,
            "GET",
            "/v1/calendars/{calendar_id}",
            parts={"calendar_id": calendar_id},
        )

    def change_calendar(
        self, calendar_id: UUID, body: models.CalendarChange, *, if_match: int | str | None = None
    ) -> models.Calendar:
        """Change what is named."""
        return self._call(
            models.Calendar,
            "PATCH",
            "/v1/calendars/{calendar_id}",
            parts={"calendar_id": calendar_id},
            body=body,
            if_match=if_match,
        )

    def delete_calendar(self, calendar_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a calendar without versions; 409 where it has any."""
        self._do(
            "DELETE",
            "/v1/calendars/{calendar_id}",
            parts={"calendar_id": calendar_id},
            if_match=if_match,
        )

    def list_calendar_days(
        self, calendar_id: UUID, *, from_: date, to: date, number: int | None = None
    ) -> models.CalendarDays:
        """What kind of day each local date is: its season, its day types, and the holiday on it.
        By the published version with the highest number, unless another one is asked for.
        """
        return self._call(
            models.CalendarDays,
            "GET",
            "/v1/calendars/{calendar_id}/days",
            parts={"calendar_id": calendar_id},
            query={"from": from_, "to": to, "number": number},
        )

    def draft_calendar_version(
        self, calendar_id: UUID, body: models.NewCalendarVersion
    ) -> models.CalendarVersion:
        """Draft a version with the next number; the same again answers 200 with what exists."""
        return self._call(
            models.CalendarVersion,
            "POST",
            "/v1/calendars/{calendar_id}/versions",
            parts={"calendar_id": calendar_id},
            body=body,
        )

    def list_calendar_versions(
        self,
        calendar_id: UUID,
        *,
        status: Literal["draft", "published", "withdrawn"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.CalendarVersion]:
        """The calendar's versions by number."""
        return self._pages(
            models.PageOfCalendarVersion,
            "GET",
            "/v1/calendars/{calendar_id}/versions",
            parts={"calendar_id": calendar_id},
            query={"status": status, "limit": limit},
        )

    def get_calendar_version(self, calendar_id: UUID, number: int) -> models.CalendarVersion:
        """One version."""
        return self._call(
            models.CalendarVersion,
            "GET",
            "/v1/calendars/{calendar_id}/versions/{number}",
            parts={"calendar_id": calendar_id, "number": number},
        )

    def replace_calendar_draft(
        self,
        calendar_id: UUID,
        number: int,
        body: models.CalendarTerms,
        *,
        if_match: int | str | None = None,
    ) -> models.CalendarVersion:
        """Replace what a draft says; 409 once it is published."""
        return self._call(
            models.CalendarVersion,
            "PUT",
            "/v1/calendars/{calendar_id}/versions/{number}",
            parts={"calendar_id": calendar_id, "number": number},
            body=body,
            if_match=if_match,
        )

    def delete_calendar_draft(
        self, calendar_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> None:
        """Delete a draft, whose number is not given again; 409 once it is published."""
        self._do(
            "DELETE",
            "/v1/calendars/{calendar_id}/versions/{number}",
            parts={"calendar_id": calendar_id, "number": number},
            if_match=if_match,
        )

    def publish_calendar_version(
        self, calendar_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> models.CalendarVersion:
        """Put a draft in use for good, and publish it. Publishing again changes nothing."""
        return self._call(
            models.CalendarVersion,
            "POST",
            "/v1/calendars/{calendar_id}/versions/{number}/publish",
            parts={"calendar_id": calendar_id, "number": number},
            if_match=if_match,
        )

    def create_price_series(self, body: models.NewPriceSeries) -> models.PriceSeries:
        """Create a series; the same again answers 200 with what exists."""
        return self._call(models.PriceSeries, "POST", "/v1/price-series", body=body)

    def list_price_series(
        self,
        *,
        code: str | None = None,
        currency: str | None = None,
        zone: str | None = None,
        minutes: Literal[5, 10, 15, 30, 60] | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.PriceSeries]:
        """Series, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfPriceSeries,
            "GET",
            "/v1/price-series",
            query={
                "code": code,
                "currency": currency,
                "zone": zone,
                "minutes": minutes,
                "text": text,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_price_series(self, series_id: UUID) -> models.PriceSeries:
        """One series."""
        return self._call(
            models.PriceSeries,
            "GET",
            "/v1/price-series/{series_id}",
            parts={"series_id": series_id},
        )

    def change_price_series(
        self, series_id: UUID, body: models.PriceSeriesChange, *, if_match: int | str | None = None
    ) -> models.PriceSeries:
        """Change what is named."""
        return self._call(
            models.PriceSeries,
            "PATCH",
            "/v1/price-series/{series_id}",
            parts={"series_id": series_id},
            body=body,
            if_match=if_match,
        )

    def delete_price_series(self, series_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a series without prices; 409 where it has any."""
        self._do(
            "DELETE",
            "/v1/price-series/{series_id}",
            parts={"series_id": series_id},
            if_match=if_match,
        )

    def upload_prices(
        self,
        series_id: UUID,
        body: models.PriceUpload | Content,
        *,
        content_type: Literal["application/json", "text/csv"] = "application/json",
    ) -> models.PriceUploadResult:
        """Add prices, or correct them, as JSON or CSV: all or nothing. A price that is known
        already changes nothing; another one makes the next version of its day, and the old
        one stays.
        """
        return self._call(
            models.PriceUploadResult,
            "POST",
            "/v1/price-series/{series_id}/prices",
            parts={"series_id": series_id},
            body=body,
            content_type=content_type,
        )

    def list_prices(
        self,
        series_id: UUID,
        *,
        from_: date,
        to: date,
        as_of: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[models.PriceDay]:
        """The prices by local day, as known now or at an instant; days without any are left out."""
        return self._pages(
            models.PageOfPriceDay,
            "GET",
            "/v1/price-series/{series_id}/prices",
            parts={"series_id": series_id},
            query={"from": from_, "to": to, "as_of": as_of, "limit": limit},
        )

    def list_price_versions(
        self, series_id: UUID, day: date, *, limit: int | None = None
    ) -> Iterator[models.PriceDay]:
        """Everything that was ever recorded for a local day, version by version."""
        return self._pages(
            models.PageOfPriceDay,
            "GET",
            "/v1/price-series/{series_id}/prices/{day}/versions",
            parts={"series_id": series_id, "day": day},
            query={"limit": limit},
        )

    def list_price_gaps(
        self,
        series_id: UUID,
        *,
        from_: date,
        to: date,
        as_of: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Gap]:
        """The intervals without a price, those next to one another as one."""
        return self._pages(
            models.PageOfGap,
            "GET",
            "/v1/price-series/{series_id}/gaps",
            parts={"series_id": series_id},
            query={"from": from_, "to": to, "as_of": as_of, "limit": limit},
        )

    def quote_tariff(self, body: models.QuoteRequest) -> models.Quote:
        """What a tariff would charge a meter, line by line, by the code that issues invoices.
        The tariff is a stored version or a document of the caller's.
        """
        return self._call(models.Quote, "POST", "/v1/quotes", body=body)

    def quote_tariff_version(
        self, tariff_id: UUID, number: int, body: models.VersionQuoteRequest
    ) -> models.Quote:
        """What a version, of whatever status, would charge a meter, line by line."""
        return self._call(
            models.Quote,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/{number}/quote",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
        )

    def compare_tariffs(self, body: models.ComparisonRequest) -> models.Comparison:
        """What several tariffs would charge the same meter: a row for each, the cheapest first."""
        return self._call(models.Comparison, "POST", "/v1/compare", body=body)

    def get_tariff_version_by_id(self, version_id: UUID) -> models.TariffVersion:
        """One version, of whichever tariff, by its own id."""
        return self._call(
            models.TariffVersion,
            "GET",
            "/v1/tariff-versions/{version_id}",
            parts={"version_id": version_id},
        )

    def get_identity(self) -> models.Identity:
        """Show the tenant and the scopes of the caller's key, and the customer to whom the
        request is bound; any key in force may ask.
        """
        return self._call(models.Identity, "GET", "/v1/me")

    def register_key(self, body: models.NewKey) -> models.Key:
        """Register a key; the same again answers 200, anything else under its id 409."""
        return self._call(models.Key, "POST", "/v1/keys", body=body)

    def list_keys(
        self, *, tenant_id: str | None = None, limit: int | None = None
    ) -> Iterator[models.Key]:
        """List keys by their id, those that were revoked too."""
        return self._pages(
            models.PageOfKey, "GET", "/v1/keys", query={"tenant_id": tenant_id, "limit": limit}
        )

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
        self._do("DELETE", "/v1/keys/{key_id}", parts={"key_id": key_id})


class AsyncTariff(AsyncOperations):
    """The operations of tariff, for an event loop."""

    async def create_region(self, body: models.NewRegion) -> models.Region:
        """Create a region; the same again answers 200 with what exists."""
        return await self._call(models.Region, "POST", "/v1/regions", body=body)

    def list_regions(
        self,
        *,
        code: str | None = None,
        zone: str | None = None,
        kind: Literal["municipality", "grid_area"] | None = None,
        parent_id: UUID | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Region]:
        """Regions, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfRegion,
            "GET",
            "/v1/regions",
            query={
                "code": code,
                "zone": zone,
                "kind": kind,
                "parent_id": parent_id,
                "text": text,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_region(self, region_id: UUID) -> models.Region:
        """One region."""
        return await self._call(
            models.Region, "GET", "/v1/regions/{region_id}", parts={"region_id": region_id}
        )

    async def change_region(
        self, region_id: UUID, body: models.RegionChange, *, if_match: int | str | None = None
    ) -> models.Region:
        """Change what is named."""
        return await self._call(
            models.Region,
            "PATCH",
            "/v1/regions/{region_id}",
            parts={"region_id": region_id},
            body=body,
            if_match=if_match,
        )

    async def delete_region(self, region_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a region; 409 where regions or tariffs lie in it."""
        await self._do(
            "DELETE", "/v1/regions/{region_id}", parts={"region_id": region_id}, if_match=if_match
        )

    def list_tariffs_of_region(
        self,
        region_id: UUID,
        *,
        inherited: bool | None = None,
        in_force_on: date | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Tariff]:
        """The tariffs that apply to the sites in a region."""
        return self._pages(
            models.PageOfTariff,
            "GET",
            "/v1/regions/{region_id}/tariffs",
            parts={"region_id": region_id},
            query={
                "inherited": inherited,
                "in_force_on": in_force_on,
                "sort": sort,
                "limit": limit,
            },
        )

    async def create_tariff(self, body: models.NewTariff) -> models.Tariff:
        """Create a tariff; the same again answers 200 with what exists."""
        return await self._call(models.Tariff, "POST", "/v1/tariffs", body=body)

    def list_tariffs(
        self,
        *,
        code: str | None = None,
        currency: str | None = None,
        zone: str | None = None,
        region_id: UUID | None = None,
        status: Literal["draft", "published", "withdrawn"] | None = None,
        in_force_on: date | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Tariff]:
        """Tariffs, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfTariff,
            "GET",
            "/v1/tariffs",
            query={
                "code": code,
                "currency": currency,
                "zone": zone,
                "region_id": region_id,
                "status": status,
                "in_force_on": in_force_on,
                "text": text,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_tariff(self, tariff_id: UUID) -> models.Tariff:
        """One tariff."""
        return await self._call(
            models.Tariff, "GET", "/v1/tariffs/{tariff_id}", parts={"tariff_id": tariff_id}
        )

    async def change_tariff(
        self, tariff_id: UUID, body: models.TariffChange, *, if_match: int | str | None = None
    ) -> models.Tariff:
        """Change what is named."""
        return await self._call(
            models.Tariff,
            "PATCH",
            "/v1/tariffs/{tariff_id}",
            parts={"tariff_id": tariff_id},
            body=body,
            if_match=if_match,
        )

    async def delete_tariff(self, tariff_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a tariff without versions; 409 where it has any."""
        await self._do(
            "DELETE", "/v1/tariffs/{tariff_id}", parts={"tariff_id": tariff_id}, if_match=if_match
        )

    async def draft_tariff_version(
        self, tariff_id: UUID, body: models.NewTariffVersion
    ) -> models.TariffVersion:
        """Draft a version with the next number; the same again answers 200 with what exists."""
        return await self._call(
            models.TariffVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions",
            parts={"tariff_id": tariff_id},
            body=body,
        )

    def list_tariff_versions(
        self,
        tariff_id: UUID,
        *,
        status: Literal["draft", "published", "withdrawn"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.TariffVersion]:
        """The tariff's versions by number."""
        return self._pages(
            models.PageOfTariffVersion,
            "GET",
            "/v1/tariffs/{tariff_id}/versions",
            parts={"tariff_id": tariff_id},
            query={"status": status, "limit": limit},
        )

    async def validate_tariff_version(
        self, tariff_id: UUID, body: models.TariffVersionTerms
    ) -> models.Verdict:
        """Look for everything that keeps such a version from being published; nothing is stored."""
        return await self._call(
            models.Verdict,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/validate",
            parts={"tariff_id": tariff_id},
            body=body,
        )

    async def get_tariff_version_in_force(
        self, tariff_id: UUID, *, on: date
    ) -> models.TariffVersion:
        """The version in force on a local date: of the published versions whose dates hold it,
        and that are not withdrawn from it on, the one that began last; of those that began on
        the same date, the highest number. 404 where there is none.
        """
        return await self._call(
            models.TariffVersion,
            "GET",
            "/v1/tariffs/{tariff_id}/versions/in-force",
            parts={"tariff_id": tariff_id},
            query={"on": on},
        )

    async def get_tariff_version(self, tariff_id: UUID, number: int) -> models.TariffVersion:
        """One version."""
        return await self._call(
            models.TariffVersion,
            "GET",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
        )

    async def replace_tariff_draft(
        self,
        tariff_id: UUID,
        number: int,
        body: models.TariffVersionTerms,
        *,
        if_match: int | str | None = None,
    ) -> models.TariffVersion:
        """Replace what a draft says; 409 once it is published."""
        return await self._call(
            models.TariffVersion,
            "PUT",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
            if_match=if_match,
        )

    async def change_tariff_draft(
        self,
        tariff_id: UUID,
        number: int,
        body: models.TariffVersionChange,
        *,
        if_match: int | str | None = None,
    ) -> models.TariffVersion:
        """Change a draft's dates or note and leave its document; 409 once it is published."""
        return await self._call(
            models.TariffVersion,
            "PATCH",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
            if_match=if_match,
        )

    async def delete_tariff_draft(
        self, tariff_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> None:
        """Delete a draft, whose number is not given again; 409 once it is published."""
        await self._do(
            "DELETE",
            "/v1/tariffs/{tariff_id}/versions/{number}",
            parts={"tariff_id": tariff_id, "number": number},
            if_match=if_match,
        )

    async def publish_tariff_version(
        self, tariff_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> models.TariffVersion:
        """Put a draft in force for good, and publish it. Publishing again changes nothing."""
        return await self._call(
            models.TariffVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/{number}/publish",
            parts={"tariff_id": tariff_id, "number": number},
            if_match=if_match,
        )

    async def withdraw_tariff_version(
        self,
        tariff_id: UUID,
        number: int,
        body: models.WithdrawalRequest,
        *,
        if_match: int | str | None = None,
    ) -> models.TariffVersion:
        """Take a published version out of force from a local date on, and publish that. What was
        billed by it stays. Withdrawing again from the same date changes nothing.
        """
        return await self._call(
            models.TariffVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/{number}/withdraw",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
            if_match=if_match,
        )

    async def import_portal_tariff(
        self, tariff_id: UUID, body: models.NewPortalTariff
    ) -> models.ImportedVersion:
        """Draft a version from a portal's document, with a report of what is not understood.

        It is read on the clock and in the currency of the tariff. The same again, by its id,
        answers 200 with what exists.
        """
        return await self._call(
            models.ImportedVersion,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/import",
            parts={"tariff_id": tariff_id},
            body=body,
        )

    async def create_calendar(self, body: models.NewCalendar) -> models.Calendar:
        """Create a calendar; the same again answers 200 with what exists."""
        return await self._call(models.Calendar, "POST", "/v1/calendars", body=body)

    def list_calendars(
        self,
        *,
        code: str | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Calendar]:
        """Calendars, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfCalendar,
            "GET",
            "/v1/calendars",
            query={"code": code, "text": text, "sort": sort, "limit": limit},
        )

    async def get_calendar(self, calendar_id: UUID) -> models.Calendar:
        """One calendar."""
        return await self._call(
            models.Calendar,
            "GET",
            "/v1/calendars/{calendar_id}",
            parts={"calendar_id": calendar_id},
        )

    async def change_calendar(
        self, calendar_id: UUID, body: models.CalendarChange, *, if_match: int | str | None = None
    ) -> models.Calendar:
        """Change what is named."""
        return await self._call(
            models.Calendar,
            "PATCH",
            "/v1/calendars/{calendar_id}",
            parts={"calendar_id": calendar_id},
            body=body,
            if_match=if_match,
        )

    async def delete_calendar(
        self, calendar_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a calendar without versions; 409 where it has any."""
        await self._do(
            "DELETE",
            "/v1/calendars/{calendar_id}",
            parts={"calendar_id": calendar_id},
            if_match=if_match,
        )

    async def list_calendar_days(
        self, calendar_id: UUID, *, from_: date, to: date, number: int | None = None
    ) -> models.CalendarDays:
        """What kind of day each local date is: its season, its day types, and the holiday on it.
        By the published version with the highest number, unless another one is asked for.
        """
        return await self._call(
            models.CalendarDays,
            "GET",
            "/v1/calendars/{calendar_id}/days",
            parts={"calendar_id": calendar_id},
            query={"from": from_, "to": to, "number": number},
        )

    async def draft_calendar_version(
        self, calendar_id: UUID, body: models.NewCalendarVersion
    ) -> models.CalendarVersion:
        """Draft a version with the next number; the same again answers 200 with what exists."""
        return await self._call(
            models.CalendarVersion,
            "POST",
            "/v1/calendars/{calendar_id}/versions",
            parts={"calendar_id": calendar_id},
            body=body,
        )

    def list_calendar_versions(
        self,
        calendar_id: UUID,
        *,
        status: Literal["draft", "published", "withdrawn"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.CalendarVersion]:
        """The calendar's versions by number."""
        return self._pages(
            models.PageOfCalendarVersion,
            "GET",
            "/v1/calendars/{calendar_id}/versions",
            parts={"calendar_id": calendar_id},
            query={"status": status, "limit": limit},
        )

    async def get_calendar_version(self, calendar_id: UUID, number: int) -> models.CalendarVersion:
        """One version."""
        return await self._call(
            models.CalendarVersion,
            "GET",
            "/v1/calendars/{calendar_id}/versions/{number}",
            parts={"calendar_id": calendar_id, "number": number},
        )

    async def replace_calendar_draft(
        self,
        calendar_id: UUID,
        number: int,
        body: models.CalendarTerms,
        *,
        if_match: int | str | None = None,
    ) -> models.CalendarVersion:
        """Replace what a draft says; 409 once it is published."""
        return await self._call(
            models.CalendarVersion,
            "PUT",
            "/v1/calendars/{calendar_id}/versions/{number}",
            parts={"calendar_id": calendar_id, "number": number},
            body=body,
            if_match=if_match,
        )

    async def delete_calendar_draft(
        self, calendar_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> None:
        """Delete a draft, whose number is not given again; 409 once it is published."""
        await self._do(
            "DELETE",
            "/v1/calendars/{calendar_id}/versions/{number}",
            parts={"calendar_id": calendar_id, "number": number},
            if_match=if_match,
        )

    async def publish_calendar_version(
        self, calendar_id: UUID, number: int, *, if_match: int | str | None = None
    ) -> models.CalendarVersion:
        """Put a draft in use for good, and publish it. Publishing again changes nothing."""
        return await self._call(
            models.CalendarVersion,
            "POST",
            "/v1/calendars/{calendar_id}/versions/{number}/publish",
            parts={"calendar_id": calendar_id, "number": number},
            if_match=if_match,
        )

    async def create_price_series(self, body: models.NewPriceSeries) -> models.PriceSeries:
        """Create a series; the same again answers 200 with what exists."""
        return await self._call(models.PriceSeries, "POST", "/v1/price-series", body=body)

    def list_price_series(
        self,
        *,
        code: str | None = None,
        currency: str | None = None,
        zone: str | None = None,
        minutes: Literal[5, 10, 15, 30, 60] | None = None,
        text: str | None = None,
        sort: Literal["created_at", "-created_at", "code", "-code", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.PriceSeries]:
        """Series, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfPriceSeries,
            "GET",
            "/v1/price-series",
            query={
                "code": code,
                "currency": currency,
                "zone": zone,
                "minutes": minutes,
                "text": text,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_price_series(self, series_id: UUID) -> models.PriceSeries:
        """One series."""
        return await self._call(
            models.PriceSeries,
            "GET",
            "/v1/price-series/{series_id}",
            parts={"series_id": series_id},
        )

    async def change_price_series(
        self, series_id: UUID, body: models.PriceSeriesChange, *, if_match: int | str | None = None
    ) -> models.PriceSeries:
        """Change what is named."""
        return await self._call(
            models.PriceSeries,
            "PATCH",
            "/v1/price-series/{series_id}",
            parts={"series_id": series_id},
            body=body,
            if_match=if_match,
        )

    async def delete_price_series(
        self, series_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a series without prices; 409 where it has any."""
        await self._do(
            "DELETE",
            "/v1/price-series/{series_id}",
            parts={"series_id": series_id},
            if_match=if_match,
        )

    async def upload_prices(
        self,
        series_id: UUID,
        body: models.PriceUpload | Content,
        *,
        content_type: Literal["application/json", "text/csv"] = "application/json",
    ) -> models.PriceUploadResult:
        """Add prices, or correct them, as JSON or CSV: all or nothing. A price that is known
        already changes nothing; another one makes the next version of its day, and the old
        one stays.
        """
        return await self._call(
            models.PriceUploadResult,
            "POST",
            "/v1/price-series/{series_id}/prices",
            parts={"series_id": series_id},
            body=body,
            content_type=content_type,
        )

    def list_prices(
        self,
        series_id: UUID,
        *,
        from_: date,
        to: date,
        as_of: datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.PriceDay]:
        """The prices by local day, as known now or at an instant; days without any are left out."""
        return self._pages(
            models.PageOfPriceDay,
            "GET",
            "/v1/price-series/{series_id}/prices",
            parts={"series_id": series_id},
            query={"from": from_, "to": to, "as_of": as_of, "limit": limit},
        )

    def list_price_versions(
        self, series_id: UUID, day: date, *, limit: int | None = None
    ) -> AsyncIterator[models.PriceDay]:
        """Everything that was ever recorded for a local day, version by version."""
        return self._pages(
            models.PageOfPriceDay,
            "GET",
            "/v1/price-series/{series_id}/prices/{day}/versions",
            parts={"series_id": series_id, "day": day},
            query={"limit": limit},
        )

    def list_price_gaps(
        self,
        series_id: UUID,
        *,
        from_: date,
        to: date,
        as_of: datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Gap]:
        """The intervals without a price, those next to one another as one."""
        return self._pages(
            models.PageOfGap,
            "GET",
            "/v1/price-series/{series_id}/gaps",
            parts={"series_id": series_id},
            query={"from": from_, "to": to, "as_of": as_of, "limit": limit},
        )

    async def quote_tariff(self, body: models.QuoteRequest) -> models.Quote:
        """What a tariff would charge a meter, line by line, by the code that issues invoices.
        The tariff is a stored version or a document of the caller's.
        """
        return await self._call(models.Quote, "POST", "/v1/quotes", body=body)

    async def quote_tariff_version(
        self, tariff_id: UUID, number: int, body: models.VersionQuoteRequest
    ) -> models.Quote:
        """What a version, of whatever status, would charge a meter, line by line."""
        return await self._call(
            models.Quote,
            "POST",
            "/v1/tariffs/{tariff_id}/versions/{number}/quote",
            parts={"tariff_id": tariff_id, "number": number},
            body=body,
        )

    async def compare_tariffs(self, body: models.ComparisonRequest) -> models.Comparison:
        """What several tariffs would charge the same meter: a row for each, the cheapest first."""
        return await self._call(models.Comparison, "POST", "/v1/compare", body=body)

    async def get_tariff_version_by_id(self, version_id: UUID) -> models.TariffVersion:
        """One version, of whichever tariff, by its own id."""
        return await self._call(
            models.TariffVersion,
            "GET",
            "/v1/tariff-versions/{version_id}",
            parts={"version_id": version_id},
        )

    async def get_identity(self) -> models.Identity:
        """Show the tenant and the scopes of the caller's key, and the customer to whom the
        request is bound; any key in force may ask.
        """
        return await self._call(models.Identity, "GET", "/v1/me")

    async def register_key(self, body: models.NewKey) -> models.Key:
        """Register a key; the same again answers 200, anything else under its id 409."""
        return await self._call(models.Key, "POST", "/v1/keys", body=body)

    def list_keys(
        self, *, tenant_id: str | None = None, limit: int | None = None
    ) -> AsyncIterator[models.Key]:
        """List keys by their id, those that were revoked too."""
        return self._pages(
            models.PageOfKey, "GET", "/v1/keys", query={"tenant_id": tenant_id, "limit": limit}
        )

    async def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
        await self._do("DELETE", "/v1/keys/{key_id}", parts={"key_id": key_id})
