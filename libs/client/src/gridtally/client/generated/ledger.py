"""The operations of ledger. Generated from docs/openapi/ledger.json by `make docs`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.client.downloads import AsyncDownload, Download
from gridtally.client.generated import ledger_models as models
from gridtally.client.requests import Content
from gridtally.client.transports import AsyncOperations, Operations


class Ledger(Operations):
    """The operations of ledger."""

    def create_property(
        self, body: models.NewProperty, *, idempotency_key: str | None = None
    ) -> models.PropertyWithMeters:
        """Register a property with its meters; the same again answers 200 with what exists.

        Name and address suffice where the tenant has a default zone (`PUT /v1/tenant-
        defaults`).
        """
        return self._call(
            models.PropertyWithMeters,
            "POST",
            "/v1/properties",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_properties(
        self,
        *,
        name: str | None = None,
        zone: str | None = None,
        region_id: UUID | None = None,
        parent_id: UUID | None = None,
        under: UUID | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Property]:
        """Properties, oldest first unless sorted otherwise; `under` takes all below one in the
        tree.
        """
        return self._pages(
            models.PageOfProperty,
            "GET",
            "/v1/properties",
            query={
                "name": name,
                "zone": zone,
                "region_id": region_id,
                "parent_id": parent_id,
                "under": under,
                "sort": sort,
                "limit": limit,
            },
        )

    def create_properties(
        self, body: models.NewProperties, *, idempotency_key: str | None = None
    ) -> models.Properties:
        """Register up to 1 000 properties, all or nothing; those that exist already with the
        same content are answered as they are, with 200 where all of them do.
        """
        return self._call(
            models.Properties,
            "POST",
            "/v1/properties/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_property(self, property_id: UUID) -> models.PropertyWithMeters:
        """One property with its meters."""
        return self._call(
            models.PropertyWithMeters,
            "GET",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
        )

    def change_property(
        self, property_id: UUID, body: models.PropertyChange, *, if_match: int | str | None = None
    ) -> models.Property:
        """Change what is named; meters follow where they inherit it."""
        return self._call(
            models.Property,
            "PATCH",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
            body=body,
            if_match=if_match,
        )

    def replace_property(
        self,
        property_id: UUID,
        body: models.PropertyReplacement,
        *,
        if_match: int | str | None = None,
    ) -> models.Property:
        """Replace everything about a property that can change; meters follow where they inherit
        it.
        """
        return self._call(
            models.Property,
            "PUT",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
            body=body,
            if_match=if_match,
        )

    def delete_property(self, property_id: UUID, *, if_match: int | str | None = None) -> None:
        """Remove a property with its meters and users; 409 while other properties are below it,
        sums are made of its meters, or agreements that bill them have not ended, which
        `errors` names. Its readings stay in the ledger, and count no more.
        """
        self._do(
            "DELETE",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
            if_match=if_match,
        )

    def list_meters_of_property(self, property_id: UUID) -> list[models.Meter]:
        """The meters of a property."""
        return self._call(
            list[models.Meter],
            "GET",
            "/v1/properties/{property_id}/meters",
            parts={"property_id": property_id},
        )

    def add_meter(
        self, property_id: UUID, body: models.NewMeter, *, idempotency_key: str | None = None
    ) -> models.Meter:
        """Add a meter; the same again answers 200 with what exists."""
        return self._call(
            models.Meter,
            "POST",
            "/v1/properties/{property_id}/meters",
            parts={"property_id": property_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def initialize_meters(self, property_id: UUID) -> list[models.Meter]:
        """Create those of a property's own four meters that are missing, and answer all its
        meters: 201 where one was missing, 200 where all existed.
        """
        return self._call(
            list[models.Meter],
            "POST",
            "/v1/properties/{property_id}/initialize-meters",
            parts={"property_id": property_id},
        )

    def add_meters(
        self, body: models.NewMeters, *, idempotency_key: str | None = None
    ) -> models.Meters:
        """Add up to 500 meters to their properties, all or nothing; those that exist already
        with the same content are answered as they are, with 200 where all of them do.
        """
        return self._call(
            models.Meters,
            "POST",
            "/v1/meters/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_meters(
        self,
        *,
        property_id: UUID | None = None,
        meter_type: Literal[
            "gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"
        ]
        | None = None,
        name: str | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Meter]:
        """Meters, oldest first unless sorted otherwise."""
        return self._pages(
            models.PageOfMeter,
            "GET",
            "/v1/meters",
            query={
                "property_id": property_id,
                "meter_type": meter_type,
                "name": name,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_meter(self, meter_id: UUID) -> models.Meter:
        """One meter."""
        return self._call(
            models.Meter, "GET", "/v1/meters/{meter_id}", parts={"meter_id": meter_id}
        )

    def change_meter(
        self, meter_id: UUID, body: models.MeterChange, *, if_match: int | str | None = None
    ) -> models.Meter:
        """Change a meter's name, or replace its channels or registers. The digits and multiplier
        of a register that was read change with an exchange only.
        """
        return self._call(
            models.Meter,
            "PATCH",
            "/v1/meters/{meter_id}",
            parts={"meter_id": meter_id},
            body=body,
            if_match=if_match,
        )

    def replace_meter(
        self, meter_id: UUID, body: models.MeterReplacement, *, if_match: int | str | None = None
    ) -> models.Meter:
        """Replace everything about a meter that can change."""
        return self._call(
            models.Meter,
            "PUT",
            "/v1/meters/{meter_id}",
            parts={"meter_id": meter_id},
            body=body,
            if_match=if_match,
        )

    def delete_meter(self, meter_id: UUID, *, if_match: int | str | None = None) -> None:
        """Remove a meter; 409 while a derived meter is a sum of it, or an agreement that bills
        it has not ended, which `errors` names. Its readings stay in the ledger, and count no
        more. Users whose default meter it was have none then.
        """
        self._do("DELETE", "/v1/meters/{meter_id}", parts={"meter_id": meter_id}, if_match=if_match)

    def get_tenant_defaults(self) -> models.TenantDefaults:
        """What the tenant's new resources have where nothing else is said."""
        return self._call(models.TenantDefaults, "GET", "/v1/tenant-defaults")

    def put_tenant_defaults(self, body: models.NewTenantDefaults) -> models.TenantDefaults:
        """Set all of them; what is left out is none. What is there already stays as it is."""
        return self._call(models.TenantDefaults, "PUT", "/v1/tenant-defaults", body=body)

    def create_user(
        self, body: models.NewUser, *, idempotency_key: str | None = None
    ) -> models.User:
        """Create a user; the same again answers 200 with what exists."""
        return self._call(
            models.User, "POST", "/v1/users", body=body, once=True, idempotency_key=idempotency_key
        )

    def list_users(
        self,
        *,
        email: str | None = None,
        property_id: UUID | None = None,
        name: str | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name", "email", "-email"]
        | None = None,
        limit: int | None = None,
    ) -> Iterator[models.User]:
        """Users, oldest first unless sorted otherwise."""
        return self._pages(
            models.PageOfUser,
            "GET",
            "/v1/users",
            query={
                "email": email,
                "property_id": property_id,
                "name": name,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_user(self, user_id: UUID) -> models.User:
        """One user."""
        return self._call(models.User, "GET", "/v1/users/{user_id}", parts={"user_id": user_id})

    def change_user(
        self, user_id: UUID, body: models.UserChange, *, if_match: int | str | None = None
    ) -> models.User:
        """Change what is named; whoever moves to another property names a default meter there."""
        return self._call(
            models.User,
            "PATCH",
            "/v1/users/{user_id}",
            parts={"user_id": user_id},
            body=body,
            if_match=if_match,
        )

    def replace_user(
        self, user_id: UUID, body: models.UserReplacement, *, if_match: int | str | None = None
    ) -> models.User:
        """Replace everything about a user that can change."""
        return self._call(
            models.User,
            "PUT",
            "/v1/users/{user_id}",
            parts={"user_id": user_id},
            body=body,
            if_match=if_match,
        )

    def delete_user(self, user_id: UUID, *, if_match: int | str | None = None) -> None:
        """Remove a user, and what is stored of answers that name them."""
        self._do("DELETE", "/v1/users/{user_id}", parts={"user_id": user_id}, if_match=if_match)

    def set_default_meter(
        self, user_id: UUID, body: models.DefaultMeter, *, if_match: int | str | None = None
    ) -> models.User:
        """Choose a meter of the user's own property, or none; 422 for any other meter."""
        return self._call(
            models.User,
            "PUT",
            "/v1/users/{user_id}/default-meter",
            parts={"user_id": user_id},
            body=body,
            if_match=if_match,
        )

    def export_readings(
        self,
        *,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
        meter_id: UUID | None = None,
        property_id: UUID | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        kind: Literal["reading", "exchange_final", "exchange_initial", "withdrawn"] | None = None,
        quality: Literal["actual", "estimated", "substituted"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
    ) -> AbstractContextManager[Download]:
        """Readings that count, in the order they were taken, as a file: all of them, now or as
        known at `as_of`. A day begins where the property or meter is that is named, else at
        midnight of the tenant's zone.
        """
        return self._download(
            "GET",
            "/v1/readings/export",
            query={
                "format": format,
                "meter_id": meter_id,
                "property_id": property_id,
                "flow": flow,
                "kind": kind,
                "quality": quality,
                "from": from_,
                "to": to,
                "as_of": as_of,
            },
        )

    def export_consumption(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
        by: Literal["day", "month"] | None = None,
        as_of: datetime | None = None,
    ) -> AbstractContextManager[Download]:
        """What each meter of a property counted on each local day, or in each month, as a file."""
        return self._download(
            "GET",
            "/v1/properties/{property_id}/consumption/export",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "format": format, "by": by, "as_of": as_of},
        )

    def record_reading(
        self, meter_id: UUID, body: models.NewReading, *, idempotency_key: str | None = None
    ) -> models.EnteredReading:
        """Enter a reading of a meter; the same again answers 200 with what exists.

        Refused for a derived meter, a moment that lies in the future and a negative value.
        Warnings in the answer report a reading earlier than the last one, a value lower than
        that of the reading before it in time, and one higher than that after it.
        """
        return self._call(
            models.EnteredReading,
            "POST",
            "/v1/meters/{meter_id}/readings",
            parts={"meter_id": meter_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_readings_of_meter(
        self,
        meter_id: UUID,
        *,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
        sort: Literal["read_at", "-read_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.ReadingOfMeter]:
        """A meter's readings, in the order they were taken. Those of a derived meter are
        computed: its value at each moment at which an input was read and all are known, up to
        now.
        """
        return self._pages(
            models.PageOfReadingOfMeter,
            "GET",
            "/v1/meters/{meter_id}/readings",
            parts={"meter_id": meter_id},
            query={
                "flow": flow,
                "from": from_,
                "to": to,
                "as_of": as_of,
                "sort": sort,
                "limit": limit,
            },
        )

    def record_readings_of_meters(
        self, body: models.NewReadings, *, idempotency_key: str | None = None
    ) -> models.ItemResults:
        """Enter readings of meters of any properties, named by `meter_id`: all or nothing, or
        item by item.

        201 where something was entered, 200 where all existed already, 422 where nothing
        could be.
        """
        return self._call(
            models.ItemResults,
            "POST",
            "/v1/readings/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def record_readings(
        self, property_id: UUID, body: models.NewReadings, *, idempotency_key: str | None = None
    ) -> models.ItemResults:
        """Enter readings of several meters of a property: all or nothing, or item by item.

        201 where something was entered, 200 where all existed already, 422 where nothing
        could be.
        """
        return self._call(
            models.ItemResults,
            "POST",
            "/v1/properties/{property_id}/readings",
            parts={"property_id": property_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_readings(
        self,
        *,
        meter_id: UUID | None = None,
        property_id: UUID | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        kind: Literal["reading", "exchange_final", "exchange_initial", "withdrawn"] | None = None,
        quality: Literal["actual", "estimated", "substituted"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
        sort: Literal["read_at", "-read_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Reading]:
        """Readings that count, in the order they were taken, now or as known at `as_of`.

        A day begins where the property or meter is that is named, else at midnight of the
        tenant's zone.
        """
        return self._pages(
            models.PageOfReading,
            "GET",
            "/v1/readings",
            query={
                "meter_id": meter_id,
                "property_id": property_id,
                "flow": flow,
                "kind": kind,
                "quality": quality,
                "from": from_,
                "to": to,
                "as_of": as_of,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_reading(self, reading_id: UUID, *, as_of: datetime | None = None) -> models.Reading:
        """A reading as it counts, now or as known at `as_of`; 404 once it was withdrawn."""
        return self._call(
            models.Reading,
            "GET",
            "/v1/readings/{reading_id}",
            parts={"reading_id": reading_id},
            query={"as_of": as_of},
        )

    def change_reading(
        self,
        reading_id: UUID,
        body: models.ReadingReplacement,
        *,
        if_match: int | str | None = None,
    ) -> models.EnteredReading:
        """Correct a reading: another entry supersedes the last one, which stays in its history."""
        return self._call(
            models.EnteredReading,
            "PUT",
            "/v1/readings/{reading_id}",
            parts={"reading_id": reading_id},
            body=body,
            if_match=if_match,
        )

    def withdraw_reading(
        self, reading_id: UUID, *, note: str | None = None, if_match: int | str | None = None
    ) -> None:
        """Withdraw a reading, which then counts no more and stays in its history; of an
        exchange, both readings.
        """
        self._do(
            "DELETE",
            "/v1/readings/{reading_id}",
            parts={"reading_id": reading_id},
            query={"note": note},
            if_match=if_match,
        )

    def get_history(
        self, reading_id: UUID, *, as_of: datetime | None = None
    ) -> list[models.Reading]:
        """Every entry of a reading, oldest first, also of one that was withdrawn or whose meter
        was removed.
        """
        return self._call(
            list[models.Reading],
            "GET",
            "/v1/readings/{reading_id}/history",
            parts={"reading_id": reading_id},
            query={"as_of": as_of},
        )

    def list_customer_registers(self, customer_id: UUID) -> models.CustomerRegisters:
        """The registers of the meters that are the customer's today, or were within the last 60
        days, each with the last reading of the customer's own time of it.
        """
        return self._call(
            models.CustomerRegisters,
            "GET",
            "/v1/customers/{customer_id}/registers",
            parts={"customer_id": customer_id},
        )

    def submit_customer_readings(
        self,
        customer_id: UUID,
        body: models.NewCustomerReadings,
        *,
        idempotency_key: str | None = None,
    ) -> models.CustomerReadings:
        """Enter what a customer has read of its own registers on a day: all of it, or nothing.

        The readings have the note `read by the customer`. One of the same register and day
        that the customer sends again replaces the first; the same once more answers 200. A
        value lower than the last one, much higher than expected, or of a day before it is
        refused as `reading_unconfirmed` until it is sent as `confirmed`; readings of
        another's time of the meter are not compared with. A meter that is not the customer's
        on that local day is 404.
        """
        return self._call(
            models.CustomerReadings,
            "POST",
            "/v1/customers/{customer_id}/readings",
            parts={"customer_id": customer_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def exchange_meter(
        self, meter_id: UUID, body: models.NewExchange, *, idempotency_key: str | None = None
    ) -> models.Exchange:
        """Replace a meter: the old one's closing reading and the new one's opening reading, in
        one step. Counting continues from one to the other; nothing was used between the two.
        """
        return self._call(
            models.Exchange,
            "POST",
            "/v1/meters/{meter_id}/exchanges",
            parts={"meter_id": meter_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_current_readings(
        self, property_id: UUID, *, as_of: datetime | None = None
    ) -> models.CurrentReadings:
        """The last reading of each of a property's meters, with the derived ones computed."""
        return self._call(
            models.CurrentReadings,
            "GET",
            "/v1/properties/{property_id}/current-readings",
            parts={"property_id": property_id},
            query={"as_of": as_of},
        )

    def get_consumption(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        as_of: datetime | None = None,
    ) -> models.PropertyConsumption:
        """What each meter of a property counted in a time, over rollovers and exchanges. Between
        two readings it is a straight line, and the quality says so.
        """
        return self._call(
            models.PropertyConsumption,
            "GET",
            "/v1/properties/{property_id}/consumption",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "as_of": as_of},
        )

    def get_consumption_table(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        by: Literal["day", "month"] | None = None,
        as_of: datetime | None = None,
    ) -> models.ConsumptionTable:
        """What each meter of a property counted on each local day, or in each month."""
        return self._call(
            models.ConsumptionTable,
            "GET",
            "/v1/properties/{property_id}/consumption/table",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "by": by, "as_of": as_of},
        )

    def check_conservation(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        loss_percent_max: Decimal | None = None,
        as_of: datetime | None = None,
    ) -> models.Conservation:
        """Whether what a property was supplied went through the meters below it: main = subs +
        losses.

        Supplied is what its main meters count (where there is none, `total`) and what solar
        meters generate; metered are its sub meters and the main meters of the properties
        under it.
        """
        return self._call(
            models.Conservation,
            "GET",
            "/v1/properties/{property_id}/conservation",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "loss_percent_max": loss_percent_max, "as_of": as_of},
        )

    def get_stats(
        self,
        meter_id: UUID,
        *,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
    ) -> models.Statistics:
        """Count, least, greatest, mean, first and last of a meter's values. For a derived meter,
        of its values at each moment at which an input was read and all are known.
        """
        return self._call(
            models.Statistics,
            "GET",
            "/v1/meters/{meter_id}/stats",
            parts={"meter_id": meter_id},
            query={"flow": flow, "from": from_, "to": to, "as_of": as_of},
        )

    def get_value(
        self,
        meter_id: UUID,
        *,
        at: datetime | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        as_of: datetime | None = None,
    ) -> models.Value:
        """What a meter shows at a moment (now, where it is left out), times its multiplier; a
        derived one, the sum of its inputs. Between two readings it lies on a straight line,
        and the quality says so; before the first and after the last nothing is known.
        """
        return self._call(
            models.Value,
            "GET",
            "/v1/meters/{meter_id}/value",
            parts={"meter_id": meter_id},
            query={"at": at, "flow": flow, "as_of": as_of},
        )

    def get_series(
        self,
        meter_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        by: Literal["15min", "hour", "day", "month"] | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        as_of: datetime | None = None,
    ) -> models.Series:
        """A meter, read or derived, through a time: what it counted in each piece, which add up
        to exactly what it counted in all, and what it shows at each piece's end.
        """
        return self._call(
            models.Series,
            "GET",
            "/v1/meters/{meter_id}/series",
            parts={"meter_id": meter_id},
            query={"from": from_, "to": to, "by": by, "flow": flow, "as_of": as_of},
        )

    def define_meter(
        self, meter_id: UUID, body: models.NewDefinition, *, idempotency_key: str | None = None
    ) -> models.Definition:
        """Define what a derived meter is the sum of, from a local day on. Earlier days keep what
        they had; of two versions from one day the later one counts. A circle is refused.
        """
        return self._call(
            models.Definition,
            "POST",
            "/v1/meters/{meter_id}/definitions",
            parts={"meter_id": meter_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_definitions(
        self, meter_id: UUID, *, as_of: datetime | None = None
    ) -> list[models.Definition]:
        """The versions of a derived meter's definition, oldest first."""
        return self._call(
            list[models.Definition],
            "GET",
            "/v1/meters/{meter_id}/definitions",
            parts={"meter_id": meter_id},
            query={"as_of": as_of},
        )

    def list_accounts(
        self,
        *,
        currency: str | None = None,
        account_class: Literal[
            "receivable",
            "prepaid",
            "export_payable",
            "deposit",
            "budget",
            "payable",
            "revenue",
            "tax",
            "cash",
            "rounding",
            "write_off",
            "suspense",
            "opening_balance",
        ]
        | None = None,
        customer_id: UUID | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Account]:
        """Accounts with their balances now, by currency and code."""
        return self._pages(
            models.PageOfAccount,
            "GET",
            "/v1/accounts",
            query={
                "currency": currency,
                "account_class": account_class,
                "customer_id": customer_id,
                "limit": limit,
            },
        )

    def get_account(
        self,
        account_id: UUID,
        *,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
    ) -> models.Account:
        """One account's balance, now or from what occurred (or was booked) up to and at `as_of`."""
        return self._call(
            models.Account,
            "GET",
            "/v1/accounts/{account_id}",
            parts={"account_id": account_id},
            query={"as_of": as_of, "by": by},
        )

    def get_customer_balance(
        self,
        customer_id: UUID,
        *,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
    ) -> models.CustomerBalances:
        """What a customer owes and has as credit, in every currency, now or as of a moment;
        arrears by that day in UTC.
        """
        return self._call(
            models.CustomerBalances,
            "GET",
            "/v1/customers/{customer_id}/balance",
            parts={"customer_id": customer_id},
            query={"as_of": as_of, "by": by},
        )

    def get_trial_balance(
        self, *, as_of: datetime | None = None, by: Literal["value", "booked"] | None = None
    ) -> models.TrialBalances:
        """What every account was debited and credited, per currency; the difference is zero."""
        return self._call(
            models.TrialBalances, "GET", "/v1/trial-balance", query={"as_of": as_of, "by": by}
        )

    def get_ageing(
        self,
        *,
        on: date | None = None,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
        customer_id: UUID | None = None,
    ) -> models.Ageing:
        """What is open by days since it was due, in every currency: now, or as it was at
        `as_of`; aged on the day `on`, by default that of the moment in UTC.
        """
        return self._call(
            models.Ageing,
            "GET",
            "/v1/ageing",
            query={"on": on, "as_of": as_of, "by": by, "customer_id": customer_id},
        )

    def list_ageing_customers(
        self,
        *,
        currency: str,
        on: date | None = None,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.CustomerAgeing]:
        """The same for each customer with something open in a currency."""
        return self._pages(
            models.PageOfCustomerAgeing,
            "GET",
            "/v1/ageing/customers",
            query={"currency": currency, "on": on, "as_of": as_of, "by": by, "limit": limit},
        )

    def get_reconciliation(self) -> models.Reconciliations:
        """Whether documents, postings, accounts and allocations agree: all are recounted."""
        return self._call(models.Reconciliations, "GET", "/v1/reconciliation")

    def get_statement(
        self,
        customer_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        currency: str,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv", "html", "pdf"] | None = None,
    ) -> models.Statement:
        """What a customer owed on balance and what changed it, from an instant up to, but
        without, another: as JSON, as CSV with one row per change, or as a document in the
        customer's language (a page, or PDF/A-3) with what is open today, under the letterhead
        in force.
        """
        return self._call(
            models.Statement,
            "GET",
            "/v1/customers/{customer_id}/statement",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to, "currency": currency, "by": by, "format": format},
        )

    def get_statement_as(
        self,
        customer_id: UUID,
        accept: Literal["text/csv", "text/html", "application/pdf"],
        *,
        from_: datetime | date,
        to: datetime | date,
        currency: str,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv", "html", "pdf"] | None = None,
    ) -> AbstractContextManager[Download]:
        """What a customer owed on balance and what changed it, from an instant up to, but
        without, another: as JSON, as CSV with one row per change, or as a document in the
        customer's language (a page, or PDF/A-3) with what is open today, under the letterhead
        in force.
        """
        return self._download(
            "GET",
            "/v1/customers/{customer_id}/statement",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to, "currency": currency, "by": by, "format": format},
            accept=accept,
        )

    def list_invoices(
        self,
        *,
        customer_id: UUID | None = None,
        currency: str | None = None,
        state: Literal["open", "part_paid", "paid", "void"] | None = None,
        overdue_on: date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Invoice]:
        """Invoices and charges with what is open of each, the oldest first. `overdue_on` leaves
        only those that were due before that day and are not paid.
        """
        return self._pages(
            models.PageOfInvoice,
            "GET",
            "/v1/invoices",
            query={
                "customer_id": customer_id,
                "currency": currency,
                "state": state,
                "overdue_on": overdue_on,
                "limit": limit,
            },
        )

    def get_invoice(self, invoice_id: UUID) -> models.InvoiceWithAllocations:
        """One invoice or charge, and everything that was allocated to it or taken back."""
        return self._call(
            models.InvoiceWithAllocations,
            "GET",
            "/v1/invoices/{invoice_id}",
            parts={"invoice_id": invoice_id},
        )

    def list_transactions(
        self,
        *,
        kind: Literal[
            "invoice",
            "credit_note",
            "payment",
            "refund",
            "write_off",
            "adjustment",
            "allocation",
            "release",
            "reversal",
            "assignment",
            "settlement",
            "deposit",
            "opening_balance",
            "dunning_fee",
            "instalment",
            "deferral",
            "budget_settlement",
            "merge",
        ]
        | None = None,
        document_id: UUID | None = None,
        customer_id: UUID | None = None,
        currency: str | None = None,
        reference: str | None = None,
        correlation_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Transaction]:
        """Transactions with their postings, in the order they were recorded."""
        return self._pages(
            models.PageOfTransaction,
            "GET",
            "/v1/transactions",
            query={
                "kind": kind,
                "document_id": document_id,
                "customer_id": customer_id,
                "currency": currency,
                "reference": reference,
                "correlation_id": correlation_id,
                "limit": limit,
            },
        )

    def get_transaction(self, transaction_id: UUID) -> models.Transaction:
        """One transaction with its postings."""
        return self._call(
            models.Transaction,
            "GET",
            "/v1/transactions/{transaction_id}",
            parts={"transaction_id": transaction_id},
        )

    def book_payment_file(
        self,
        body: Content,
        *,
        dry_run: bool | None = None,
        content_type: Literal["application/octet-stream", "text/csv"] = "application/octet-stream",
    ) -> models.PaymentFileResult:
        """Book the payments of a bank statement (camt.053) or a table (CSV: `booked_on`,
        `amount`, `currency`, `reference`; `payer`, `account`, `bank_reference`).

        A payment is the customer's whose invoices its text names, and pays these first; a
        direct debit pays its invoice. All others are unmatched, with suggestions. Where the
        bank took a direct debit back, its payment is reversed. A payment has an id by the
        bank's reference, else by all that the bank says of it, so the same payment is booked
        once, however many files have it. 422 where the file cannot be read: then nothing of
        it is booked.
        """
        return self._call(
            models.PaymentFileResult,
            "POST",
            "/v1/payment-files",
            query={"dry_run": dry_run},
            body=body,
            content_type=content_type,
        )

    def post_payment(
        self, body: models.NewPayment, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Post money that came in; 422 where an allocation does not fit."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/payments",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_deposit(
        self, body: models.NewDeposit, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Take a deposit; 422 of a customer whom nobody knows."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/deposits",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_refund(
        self, body: models.NewRefund, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Post money paid out; 422 beyond the credit that there is."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/refunds",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_write_off(
        self, body: models.NewWriteOff, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Give up what is open of invoices; 422 beyond that."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/write-offs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_adjustment(
        self, body: models.NewAdjustment, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Charge or credit a customer by hand, with the reason."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/adjustments",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_allocation(
        self, body: models.NewAllocation, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Spend a customer's credit on invoices; 422 where there is not so much of either."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/allocations",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_payments(
        self, body: models.NewPayments, *, idempotency_key: str | None = None
    ) -> models.PaymentResults:
        """Post up to 10 000 payments, in their order: all or nothing, or item by item.

        Each finds what those before it have paid. What all of them leave as credit is spent
        as the payment terms say, once they are posted. 201 where something was posted, 200
        where all were posted already, 422 where nothing could be. Give each its `id`: then a
        list that comes again posts nothing twice, whatever else is in it.
        """
        return self._call(
            models.PaymentResults,
            "POST",
            "/v1/payments/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_opening_balances(
        self, body: models.NewOpeningBalances, *, idempotency_key: str | None = None
    ) -> models.OpeningBalances:
        """Book up to 500 opening balances, all or nothing; those that are booked already with
        the same content are answered as they are, with 200 where all of them are. One that
        was reversed is booked again.
        """
        return self._call(
            models.OpeningBalances,
            "POST",
            "/v1/opening-balances/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_payment_plan(
        self, body: models.NewPaymentPlan, *, idempotency_key: str | None = None
    ) -> models.PaymentPlan:
        """Agree a plan over what is open of some invoices. It posts nothing: payments go to
        invoices by the rule as before. While it is kept, arrears and ageing count its
        instalments, and not the invoices' own due days.
        """
        return self._call(
            models.PaymentPlan,
            "POST",
            "/v1/payment-plans",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_payment_plans(
        self,
        *,
        customer_id: UUID | None = None,
        currency: str | None = None,
        on: date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.PaymentPlan]:
        """Plans, the oldest first, each as it stands on a day by what is paid now."""
        return self._pages(
            models.PageOfPaymentPlan,
            "GET",
            "/v1/payment-plans",
            query={"customer_id": customer_id, "currency": currency, "on": on, "limit": limit},
        )

    def preview_payment_plan(self, body: models.NewPaymentPlan) -> models.PlannedInstalments:
        """What would be agreed, without agreeing it."""
        return self._call(models.PlannedInstalments, "POST", "/v1/payment-plans/preview", body=body)

    def get_payment_plan(self, plan_id: UUID, *, on: date | None = None) -> models.PaymentPlan:
        """One plan as it stands on a day, by what is paid now."""
        return self._call(
            models.PaymentPlan,
            "GET",
            "/v1/payment-plans/{plan_id}",
            parts={"plan_id": plan_id},
            query={"on": on},
        )

    def cancel_payment_plan(
        self, plan_id: UUID, body: models.NewCancellation, *, idempotency_key: str | None = None
    ) -> models.PaymentPlan:
        """End a plan, so that its invoices are due as they were. 409 where it has ended."""
        return self._call(
            models.PaymentPlan,
            "POST",
            "/v1/payment-plans/{plan_id}/cancel",
            parts={"plan_id": plan_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_budget_plan(
        self, body: models.NewBudgetPlan, *, idempotency_key: str | None = None
    ) -> models.BudgetPlan:
        """Agree a plan. Its instalments are asked for by themselves, fourteen days before each
        is due: as open items, and not as invoices. Invoices of its time that are issued from
        now on wait for the settlement. 409 where another plan of the customer in this
        currency has some of its days.
        """
        return self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_budget_plans(
        self,
        *,
        customer_id: UUID | None = None,
        currency: str | None = None,
        limit: int | None = None,
    ) -> Iterator[models.BudgetPlan]:
        """Plans, the oldest first."""
        return self._pages(
            models.PageOfBudgetPlan,
            "GET",
            "/v1/budget-plans",
            query={"customer_id": customer_id, "currency": currency, "limit": limit},
        )

    def propose_budget(
        self, *, customer_id: UUID, currency: str, months: int | None = None
    ) -> models.BudgetProposal:
        """What to agree, by what a customer's invoices of the last months came to a month."""
        return self._call(
            models.BudgetProposal,
            "GET",
            "/v1/budget-plans/proposal",
            query={"customer_id": customer_id, "currency": currency, "months": months},
        )

    def get_budget_plan(self, budget_plan_id: UUID) -> models.BudgetPlan:
        """One plan, as it stands."""
        return self._call(
            models.BudgetPlan,
            "GET",
            "/v1/budget-plans/{budget_plan_id}",
            parts={"budget_plan_id": budget_plan_id},
        )

    def change_budget_amount(
        self,
        budget_plan_id: UUID,
        body: models.NewBudgetAmount,
        *,
        idempotency_key: str | None = None,
    ) -> models.BudgetPlan:
        """Ask for another amount from a day on; the same again changes nothing."""
        return self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans/{budget_plan_id}/amount",
            parts={"budget_plan_id": budget_plan_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def end_budget_plan(
        self, budget_plan_id: UUID, body: models.NewBudgetEnd, *, idempotency_key: str | None = None
    ) -> models.BudgetPlan:
        """End a plan early, as of a customer who moves out: it asks for nothing that is due
        later, and is settled by itself as many days after its end as was agreed. The same
        again changes nothing.
        """
        return self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans/{budget_plan_id}/end",
            parts={"budget_plan_id": budget_plan_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def settle_budget_plan(
        self, budget_plan_id: UUID, *, idempotency_key: str | None = None
    ) -> models.BudgetPlan:
        """Settle a plan whose time is over, when all invoices of it are there. What was used
        beyond what was asked for is an open item, due by the terms of payment; else the rest
        is credit, which pays what else is open. 409 where it goes on, or was settled.
        """
        return self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans/{budget_plan_id}/settlement",
            parts={"budget_plan_id": budget_plan_id},
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_dunning_rules(self) -> models.DunningRules:
        """The tenant's levels, and the least that anybody is dunned for."""
        return self._call(models.DunningRules, "GET", "/v1/dunning-rules")

    def put_dunning_rules(self, body: models.NewDunningRules) -> models.DunningRules:
        """Set all of them. Notices that were issued stay as they are, and what has reached a
        level goes on with the next one of the new rules.
        """
        return self._call(models.DunningRules, "PUT", "/v1/dunning-rules", body=body)

    def get_dunning_stop(self, customer_id: UUID) -> models.CustomerDunningStop:
        """The customer's stop, also once its last day has passed. 404 where there is none."""
        return self._call(
            models.CustomerDunningStop,
            "GET",
            "/v1/customers/{customer_id}/dunning-stop",
            parts={"customer_id": customer_id},
        )

    def put_dunning_stop(
        self, customer_id: UUID, body: models.NewDunningStop
    ) -> models.CustomerDunningStop:
        """Have the customer get no notices, from now on. Those that were issued stay, and so do
        their fees; what is overdue stays overdue.
        """
        return self._call(
            models.CustomerDunningStop,
            "PUT",
            "/v1/customers/{customer_id}/dunning-stop",
            parts={"customer_id": customer_id},
            body=body,
        )

    def delete_dunning_stop(self, customer_id: UUID) -> None:
        """Have the customer get notices again. 404 where there is no stop."""
        self._do(
            "DELETE", "/v1/customers/{customer_id}/dunning-stop", parts={"customer_id": customer_id}
        )

    def start_dunning_run(
        self, body: models.NewDunningRun, *, idempotency_key: str | None = None
    ) -> models.DunningRun:
        """Have all customers looked at, in the background: each invoice that has reached its
        next level gets there with a notice, one for each customer and currency, and its fee
        is booked. What was done by an earlier run is not done again. 409 while another run
        goes on.
        """
        return self._call(
            models.DunningRun,
            "POST",
            "/v1/dunning-runs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_dunning_runs(self, *, limit: int | None = None) -> Iterator[models.DunningRun]:
        """Runs, the newest first."""
        return self._pages(
            models.PageOfDunningRun, "GET", "/v1/dunning-runs", query={"limit": limit}
        )

    def preview_dunning_run(
        self, *, on: date | None = None, limit: int | None = None
    ) -> Iterator[models.PreviewedNotice]:
        """The notices that a run would issue now; nothing is stored. A page has those of up to
        `limit` customers of whom something is overdue, and may have none although another
        page follows.
        """
        return self._pages(
            models.PageOfPreviewedNotice,
            "GET",
            "/v1/dunning-runs/preview",
            query={"on": on, "limit": limit},
        )

    def get_dunning_run(self, run_id: UUID) -> models.DunningRun:
        """One run, as far as it has come."""
        return self._call(
            models.DunningRun, "GET", "/v1/dunning-runs/{run_id}", parts={"run_id": run_id}
        )

    def list_dunning_notices(
        self,
        *,
        customer_id: UUID | None = None,
        run_id: UUID | None = None,
        state: Literal["issued", "withdrawn"] | None = None,
        sort: Literal["issued_at", "-issued_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.DunningNotice]:
        """Notices, the oldest first unless sorted otherwise."""
        return self._pages(
            models.PageOfDunningNotice,
            "GET",
            "/v1/dunning-notices",
            query={
                "customer_id": customer_id,
                "run_id": run_id,
                "state": state,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_dunning_notice(self, notice_id: UUID) -> models.DunningNotice:
        """One notice."""
        return self._call(
            models.DunningNotice,
            "GET",
            "/v1/dunning-notices/{notice_id}",
            parts={"notice_id": notice_id},
        )

    def get_dunning_notice_document(
        self, notice_id: UUID, *, format: Literal["html", "pdf"] | None = None
    ) -> AbstractContextManager[Download]:
        """The notice as a letter, a page or PDF/A-3, in the customer's language and with the
        letterhead of the day on which it was issued.
        """
        return self._download(
            "GET",
            "/v1/dunning-notices/{notice_id}/document",
            parts={"notice_id": notice_id},
            query={"format": format},
        )

    def withdraw_dunning_notice(
        self, notice_id: UUID, body: models.NewWithdrawal, *, idempotency_key: str | None = None
    ) -> models.DunningNotice:
        """Have a notice count no more: its fee is reversed, and its invoices are at the level
        before, so that they may reach this one again. 409 where it was withdrawn, or one of
        its invoices has reached another level since.
        """
        return self._call(
            models.DunningNotice,
            "POST",
            "/v1/dunning-notices/{notice_id}/withdraw",
            parts={"notice_id": notice_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_mandate(self, customer_id: UUID) -> models.Mandate:
        """The customer's mandate, with its account masked."""
        return self._call(
            models.Mandate,
            "GET",
            "/v1/customers/{customer_id}/mandate",
            parts={"customer_id": customer_id},
        )

    def put_mandate(self, customer_id: UUID, body: models.NewMandate) -> models.Mandate:
        """Collect the customer's invoices by this mandate from now on; it replaces the one
        before. What was used or revoked cannot be changed: what is signed anew has an id of
        its own.
        """
        return self._call(
            models.Mandate,
            "PUT",
            "/v1/customers/{customer_id}/mandate",
            parts={"customer_id": customer_id},
            body=body,
        )

    def revoke_mandate(self, customer_id: UUID) -> None:
        """Collect nothing more by the customer's mandate, which stays to be seen. Batches that
        were made stay as they are.
        """
        self._do(
            "DELETE", "/v1/customers/{customer_id}/mandate", parts={"customer_id": customer_id}
        )

    def get_direct_debit_settings(self) -> models.DirectDebitSettings:
        """For whom direct debits are collected."""
        return self._call(models.DirectDebitSettings, "GET", "/v1/direct-debit-settings")

    def put_direct_debit_settings(
        self, body: models.NewDirectDebitSettings
    ) -> models.DirectDebitSettings:
        """Collect for this creditor from now on; batches that were made stay as they are."""
        return self._call(models.DirectDebitSettings, "PUT", "/v1/direct-debit-settings", body=body)

    def make_direct_debits(
        self, body: models.NewDirectDebits, *, idempotency_key: str | None = None
    ) -> models.DirectDebits:
        """Collect what is due of customers with a mandate in force, in euros, the oldest first:
        a debit for what is open of each invoice or charge.

        Left out is what another debit may still bring, what came back, and what is in a
        payment plan, until that is cancelled. Where nothing is due, no batch is made and its
        id is null.
        """
        return self._call(
            models.DirectDebits,
            "POST",
            "/v1/direct-debits",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_direct_debits(
        self, *, sort: Literal["created_at", "-created_at"] | None = None, limit: int | None = None
    ) -> Iterator[models.DirectDebitBatch]:
        """Batches, the oldest first unless sorted otherwise, without their debits."""
        return self._pages(
            models.PageOfDirectDebitBatch,
            "GET",
            "/v1/direct-debits",
            query={"sort": sort, "limit": limit},
        )

    def get_direct_debits(self, batch_id: UUID) -> models.DirectDebits:
        """One batch, with what the bank's statements have said of each debit."""
        return self._call(
            models.DirectDebits, "GET", "/v1/direct-debits/{batch_id}", parts={"batch_id": batch_id}
        )

    def get_direct_debit_file(self, batch_id: UUID) -> AbstractContextManager[Download]:
        """The file for the bank: pain.008.001.08, the same bytes for ever. 410 once somebody in
        it is erased, 409 of a batch that is cancelled.

        It has whole account numbers, so it takes a key that may write.
        """
        return self._download(
            "GET", "/v1/direct-debits/{batch_id}/file", parts={"batch_id": batch_id}
        )

    def cancel_direct_debits(
        self, batch_id: UUID, *, idempotency_key: str | None = None
    ) -> models.DirectDebits:
        """Have a batch not collected, so that its items may be in another one. 409 from the day
        of its collection on: the bank may have begun.
        """
        return self._call(
            models.DirectDebits,
            "POST",
            "/v1/direct-debits/{batch_id}/cancel",
            parts={"batch_id": batch_id},
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_unmatched_payments(
        self, *, limit: int | None = None
    ) -> Iterator[models.UnmatchedPayment]:
        """Payments that stand in suspense, the oldest first."""
        return self._pages(
            models.PageOfUnmatchedPayment, "GET", "/v1/unmatched-payments", query={"limit": limit}
        )

    def assign_unmatched_payment(
        self, payment_id: UUID, body: models.NewAssignment, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Give the payment to a customer who pays in its currency; 409 where it was assigned or
        paid back. The reversal of the assignment makes it unmatched again.
        """
        return self._call(
            models.Transaction,
            "POST",
            "/v1/unmatched-payments/{payment_id}/assignment",
            parts={"payment_id": payment_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def refund_unmatched_payment(
        self, payment_id: UUID, body: models.NewReturn, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Pay the money back; 409 where the payment was assigned or paid back."""
        return self._call(
            models.Transaction,
            "POST",
            "/v1/unmatched-payments/{payment_id}/refund",
            parts={"payment_id": payment_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_payees(
        self,
        *,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        by: Literal["value", "booked"] | None = None,
        payee: str | None = None,
        currency: str | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Payee]:
        """Who is owed what, by currency and name: what came and was paid in a period, and the
        rest.

        Without `from` it is counted from the beginning, without `to` until now.
        """
        return self._pages(
            models.PageOfPayee,
            "GET",
            "/v1/payees",
            query={
                "from": from_,
                "to": to,
                "by": by,
                "payee": payee,
                "currency": currency,
                "limit": limit,
            },
        )

    def get_payee_statement(
        self,
        payee_id: UUID,
        *,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv"] | None = None,
    ) -> models.PayeeStatement:
        """What a payee is owed, by invoice, and what was paid of it, as JSON or CSV.

        Without `from` it is counted from the beginning, without `to` until now.
        """
        return self._call(
            models.PayeeStatement,
            "GET",
            "/v1/payees/{payee_id}/statement",
            parts={"payee_id": payee_id},
            query={"from": from_, "to": to, "by": by, "format": format},
        )

    def get_payee_statement_as(
        self,
        payee_id: UUID,
        accept: Literal["text/csv"],
        *,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv"] | None = None,
    ) -> AbstractContextManager[Download]:
        """What a payee is owed, by invoice, and what was paid of it, as JSON or CSV.

        Without `from` it is counted from the beginning, without `to` until now.
        """
        return self._download(
            "GET",
            "/v1/payees/{payee_id}/statement",
            parts={"payee_id": payee_id},
            query={"from": from_, "to": to, "by": by, "format": format},
            accept=accept,
        )

    def settle_payee(
        self, payee_id: UUID, body: models.NewSettlement, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Post money paid to a payee; 422 beyond what is owed. `/v1/transactions/{id}/reversal`
        undoes it.
        """
        return self._call(
            models.Transaction,
            "POST",
            "/v1/payees/{payee_id}/settlements",
            parts={"payee_id": payee_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def post_reversal(
        self, transaction_id: UUID, body: models.NewReversal, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Undo a transaction by one that mirrors it. 409 the second time, for invoices, and
        where the credit that it gave was spent; 422 as of a moment before the transaction
        itself.
        """
        return self._call(
            models.Transaction,
            "POST",
            "/v1/transactions/{transaction_id}/reversal",
            parts={"transaction_id": transaction_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_payment_terms(self) -> models.PaymentTerms:
        """The tenant's payment terms."""
        return self._call(models.PaymentTerms, "GET", "/v1/payment-terms")

    def put_payment_terms(self, body: models.NewPaymentTerms) -> models.PaymentTerms:
        """Change them: days for invoices that are posted from now on; where credit is to pay by
        itself from now on, it also pays what is open already, within seconds.
        """
        return self._call(models.PaymentTerms, "PUT", "/v1/payment-terms", body=body)

    def get_status(self) -> models.Status:
        """How far sealing has come, recounted."""
        return self._call(models.Status, "GET", "/v1/ledger/status")

    def get_seal(self, entry_id: UUID) -> models.Seal:
        """Where an entry stands: a transaction, an entry of a reading or of a definition, the
        end of a meter, or by the invoice's id the note that it was voided. 404 until it is
        sealed.
        """
        return self._call(
            models.Seal, "GET", "/v1/ledger/seals/{entry_id}", parts={"entry_id": entry_id}
        )

    def get_checkpoint(self, *, size: int | None = None) -> models.SealedCheckpoint:
        """The checkpoint after all sealed entries, or after the first `size` of them."""
        return self._call(
            models.SealedCheckpoint, "GET", "/v1/ledger/checkpoint", query={"size": size}
        )

    def list_checkpoints(self, *, limit: int | None = None) -> Iterator[models.StoredCheckpoint]:
        """The checkpoints that the ledger made as it grew, one per 1024 entries, the oldest
        first.
        """
        return self._pages(
            models.PageOfStoredCheckpoint, "GET", "/v1/ledger/checkpoints", query={"limit": limit}
        )

    def get_proof(self, seq: int, *, size: int | None = None) -> models.Proof:
        """A proof that the entry is among all sealed entries, or among the first `size`."""
        return self._call(
            models.Proof,
            "GET",
            "/v1/ledger/entries/{seq}/proof",
            parts={"seq": seq},
            query={"size": size},
        )

    def erase_entry(self, seq: int) -> models.ErasedEntry:
        """Take away what may name people in a sealed entry (references, memos, notes, reasons,
        names, addresses), for good; the chain stays as it is. The second time answers the
        same.

        409 for what a property or meter is called now, and where there is nothing to erase.
        """
        return self._call(
            models.ErasedEntry, "POST", "/v1/ledger/entries/{seq}/erase", parts={"seq": seq}
        )

    def export(self, *, after: int | None = None) -> AbstractContextManager[Download]:
        """Every sealed entry from `after` + 1 on, one JSON line each, between a header and the
        checkpoint that they lead to. `gridtally verify ledger --export` checks it without a
        server.
        """
        return self._download("GET", "/v1/ledger/export", query={"after": after})

    def list_dead_letters(
        self,
        *,
        topic: str | None = None,
        reason: str | None = None,
        status: Literal["open", "replayed", "discarded"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message
        was given up.
        """
        return self._pages(
            models.PageOfDeadLetter,
            "GET",
            "/v1/dead-letters",
            query={
                "topic": topic,
                "reason": reason,
                "status": status,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    def count_dead_letters(self) -> models.DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        return self._call(models.DeadLetterCounts, "GET", "/v1/dead-letters/counts")

    def get_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """One letter with its key, headers and value."""
        return self._call(
            models.DeadLetterWithValue,
            "GET",
            "/v1/dead-letters/{dead_letter_id}",
            parts={"dead_letter_id": dead_letter_id},
        )

    def replay_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where
        it is refused again, and then it stays open.
        """
        return self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/replay",
            parts={"dead_letter_id": dead_letter_id},
        )

    def discard_dead_letter(
        self, dead_letter_id: UUID, body: models.Discard
    ) -> models.DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        return self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/discard",
            parts={"dead_letter_id": dead_letter_id},
            body=body,
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


class AsyncLedger(AsyncOperations):
    """The operations of ledger, for an event loop."""

    async def create_property(
        self, body: models.NewProperty, *, idempotency_key: str | None = None
    ) -> models.PropertyWithMeters:
        """Register a property with its meters; the same again answers 200 with what exists.

        Name and address suffice where the tenant has a default zone (`PUT /v1/tenant-
        defaults`).
        """
        return await self._call(
            models.PropertyWithMeters,
            "POST",
            "/v1/properties",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_properties(
        self,
        *,
        name: str | None = None,
        zone: str | None = None,
        region_id: UUID | None = None,
        parent_id: UUID | None = None,
        under: UUID | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Property]:
        """Properties, oldest first unless sorted otherwise; `under` takes all below one in the
        tree.
        """
        return self._pages(
            models.PageOfProperty,
            "GET",
            "/v1/properties",
            query={
                "name": name,
                "zone": zone,
                "region_id": region_id,
                "parent_id": parent_id,
                "under": under,
                "sort": sort,
                "limit": limit,
            },
        )

    async def create_properties(
        self, body: models.NewProperties, *, idempotency_key: str | None = None
    ) -> models.Properties:
        """Register up to 1 000 properties, all or nothing; those that exist already with the
        same content are answered as they are, with 200 where all of them do.
        """
        return await self._call(
            models.Properties,
            "POST",
            "/v1/properties/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_property(self, property_id: UUID) -> models.PropertyWithMeters:
        """One property with its meters."""
        return await self._call(
            models.PropertyWithMeters,
            "GET",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
        )

    async def change_property(
        self, property_id: UUID, body: models.PropertyChange, *, if_match: int | str | None = None
    ) -> models.Property:
        """Change what is named; meters follow where they inherit it."""
        return await self._call(
            models.Property,
            "PATCH",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
            body=body,
            if_match=if_match,
        )

    async def replace_property(
        self,
        property_id: UUID,
        body: models.PropertyReplacement,
        *,
        if_match: int | str | None = None,
    ) -> models.Property:
        """Replace everything about a property that can change; meters follow where they inherit
        it.
        """
        return await self._call(
            models.Property,
            "PUT",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
            body=body,
            if_match=if_match,
        )

    async def delete_property(
        self, property_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Remove a property with its meters and users; 409 while other properties are below it,
        sums are made of its meters, or agreements that bill them have not ended, which
        `errors` names. Its readings stay in the ledger, and count no more.
        """
        await self._do(
            "DELETE",
            "/v1/properties/{property_id}",
            parts={"property_id": property_id},
            if_match=if_match,
        )

    async def list_meters_of_property(self, property_id: UUID) -> list[models.Meter]:
        """The meters of a property."""
        return await self._call(
            list[models.Meter],
            "GET",
            "/v1/properties/{property_id}/meters",
            parts={"property_id": property_id},
        )

    async def add_meter(
        self, property_id: UUID, body: models.NewMeter, *, idempotency_key: str | None = None
    ) -> models.Meter:
        """Add a meter; the same again answers 200 with what exists."""
        return await self._call(
            models.Meter,
            "POST",
            "/v1/properties/{property_id}/meters",
            parts={"property_id": property_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def initialize_meters(self, property_id: UUID) -> list[models.Meter]:
        """Create those of a property's own four meters that are missing, and answer all its
        meters: 201 where one was missing, 200 where all existed.
        """
        return await self._call(
            list[models.Meter],
            "POST",
            "/v1/properties/{property_id}/initialize-meters",
            parts={"property_id": property_id},
        )

    async def add_meters(
        self, body: models.NewMeters, *, idempotency_key: str | None = None
    ) -> models.Meters:
        """Add up to 500 meters to their properties, all or nothing; those that exist already
        with the same content are answered as they are, with 200 where all of them do.
        """
        return await self._call(
            models.Meters,
            "POST",
            "/v1/meters/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_meters(
        self,
        *,
        property_id: UUID | None = None,
        meter_type: Literal[
            "gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"
        ]
        | None = None,
        name: str | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Meter]:
        """Meters, oldest first unless sorted otherwise."""
        return self._pages(
            models.PageOfMeter,
            "GET",
            "/v1/meters",
            query={
                "property_id": property_id,
                "meter_type": meter_type,
                "name": name,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_meter(self, meter_id: UUID) -> models.Meter:
        """One meter."""
        return await self._call(
            models.Meter, "GET", "/v1/meters/{meter_id}", parts={"meter_id": meter_id}
        )

    async def change_meter(
        self, meter_id: UUID, body: models.MeterChange, *, if_match: int | str | None = None
    ) -> models.Meter:
        """Change a meter's name, or replace its channels or registers. The digits and multiplier
        of a register that was read change with an exchange only.
        """
        return await self._call(
            models.Meter,
            "PATCH",
            "/v1/meters/{meter_id}",
            parts={"meter_id": meter_id},
            body=body,
            if_match=if_match,
        )

    async def replace_meter(
        self, meter_id: UUID, body: models.MeterReplacement, *, if_match: int | str | None = None
    ) -> models.Meter:
        """Replace everything about a meter that can change."""
        return await self._call(
            models.Meter,
            "PUT",
            "/v1/meters/{meter_id}",
            parts={"meter_id": meter_id},
            body=body,
            if_match=if_match,
        )

    async def delete_meter(self, meter_id: UUID, *, if_match: int | str | None = None) -> None:
        """Remove a meter; 409 while a derived meter is a sum of it, or an agreement that bills
        it has not ended, which `errors` names. Its readings stay in the ledger, and count no
        more. Users whose default meter it was have none then.
        """
        await self._do(
            "DELETE", "/v1/meters/{meter_id}", parts={"meter_id": meter_id}, if_match=if_match
        )

    async def get_tenant_defaults(self) -> models.TenantDefaults:
        """What the tenant's new resources have where nothing else is said."""
        return await self._call(models.TenantDefaults, "GET", "/v1/tenant-defaults")

    async def put_tenant_defaults(self, body: models.NewTenantDefaults) -> models.TenantDefaults:
        """Set all of them; what is left out is none. What is there already stays as it is."""
        return await self._call(models.TenantDefaults, "PUT", "/v1/tenant-defaults", body=body)

    async def create_user(
        self, body: models.NewUser, *, idempotency_key: str | None = None
    ) -> models.User:
        """Create a user; the same again answers 200 with what exists."""
        return await self._call(
            models.User, "POST", "/v1/users", body=body, once=True, idempotency_key=idempotency_key
        )

    def list_users(
        self,
        *,
        email: str | None = None,
        property_id: UUID | None = None,
        name: str | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name", "email", "-email"]
        | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.User]:
        """Users, oldest first unless sorted otherwise."""
        return self._pages(
            models.PageOfUser,
            "GET",
            "/v1/users",
            query={
                "email": email,
                "property_id": property_id,
                "name": name,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_user(self, user_id: UUID) -> models.User:
        """One user."""
        return await self._call(
            models.User, "GET", "/v1/users/{user_id}", parts={"user_id": user_id}
        )

    async def change_user(
        self, user_id: UUID, body: models.UserChange, *, if_match: int | str | None = None
    ) -> models.User:
        """Change what is named; whoever moves to another property names a default meter there."""
        return await self._call(
            models.User,
            "PATCH",
            "/v1/users/{user_id}",
            parts={"user_id": user_id},
            body=body,
            if_match=if_match,
        )

    async def replace_user(
        self, user_id: UUID, body: models.UserReplacement, *, if_match: int | str | None = None
    ) -> models.User:
        """Replace everything about a user that can change."""
        return await self._call(
            models.User,
            "PUT",
            "/v1/users/{user_id}",
            parts={"user_id": user_id},
            body=body,
            if_match=if_match,
        )

    async def delete_user(self, user_id: UUID, *, if_match: int | str | None = None) -> None:
        """Remove a user, and what is stored of answers that name them."""
        await self._do(
            "DELETE", "/v1/users/{user_id}", parts={"user_id": user_id}, if_match=if_match
        )

    async def set_default_meter(
        self, user_id: UUID, body: models.DefaultMeter, *, if_match: int | str | None = None
    ) -> models.User:
        """Choose a meter of the user's own property, or none; 422 for any other meter."""
        return await self._call(
            models.User,
            "PUT",
            "/v1/users/{user_id}/default-meter",
            parts={"user_id": user_id},
            body=body,
            if_match=if_match,
        )

    def export_readings(
        self,
        *,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
        meter_id: UUID | None = None,
        property_id: UUID | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        kind: Literal["reading", "exchange_final", "exchange_initial", "withdrawn"] | None = None,
        quality: Literal["actual", "estimated", "substituted"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """Readings that count, in the order they were taken, as a file: all of them, now or as
        known at `as_of`. A day begins where the property or meter is that is named, else at
        midnight of the tenant's zone.
        """
        return self._download(
            "GET",
            "/v1/readings/export",
            query={
                "format": format,
                "meter_id": meter_id,
                "property_id": property_id,
                "flow": flow,
                "kind": kind,
                "quality": quality,
                "from": from_,
                "to": to,
                "as_of": as_of,
            },
        )

    def export_consumption(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
        by: Literal["day", "month"] | None = None,
        as_of: datetime | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """What each meter of a property counted on each local day, or in each month, as a file."""
        return self._download(
            "GET",
            "/v1/properties/{property_id}/consumption/export",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "format": format, "by": by, "as_of": as_of},
        )

    async def record_reading(
        self, meter_id: UUID, body: models.NewReading, *, idempotency_key: str | None = None
    ) -> models.EnteredReading:
        """Enter a reading of a meter; the same again answers 200 with what exists.

        Refused for a derived meter, a moment that lies in the future and a negative value.
        Warnings in the answer report a reading earlier than the last one, a value lower than
        that of the reading before it in time, and one higher than that after it.
        """
        return await self._call(
            models.EnteredReading,
            "POST",
            "/v1/meters/{meter_id}/readings",
            parts={"meter_id": meter_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_readings_of_meter(
        self,
        meter_id: UUID,
        *,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
        sort: Literal["read_at", "-read_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.ReadingOfMeter]:
        """A meter's readings, in the order they were taken. Those of a derived meter are
        computed: its value at each moment at which an input was read and all are known, up to
        now.
        """
        return self._pages(
            models.PageOfReadingOfMeter,
            "GET",
            "/v1/meters/{meter_id}/readings",
            parts={"meter_id": meter_id},
            query={
                "flow": flow,
                "from": from_,
                "to": to,
                "as_of": as_of,
                "sort": sort,
                "limit": limit,
            },
        )

    async def record_readings_of_meters(
        self, body: models.NewReadings, *, idempotency_key: str | None = None
    ) -> models.ItemResults:
        """Enter readings of meters of any properties, named by `meter_id`: all or nothing, or
        item by item.

        201 where something was entered, 200 where all existed already, 422 where nothing
        could be.
        """
        return await self._call(
            models.ItemResults,
            "POST",
            "/v1/readings/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def record_readings(
        self, property_id: UUID, body: models.NewReadings, *, idempotency_key: str | None = None
    ) -> models.ItemResults:
        """Enter readings of several meters of a property: all or nothing, or item by item.

        201 where something was entered, 200 where all existed already, 422 where nothing
        could be.
        """
        return await self._call(
            models.ItemResults,
            "POST",
            "/v1/properties/{property_id}/readings",
            parts={"property_id": property_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_readings(
        self,
        *,
        meter_id: UUID | None = None,
        property_id: UUID | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        kind: Literal["reading", "exchange_final", "exchange_initial", "withdrawn"] | None = None,
        quality: Literal["actual", "estimated", "substituted"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
        sort: Literal["read_at", "-read_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Reading]:
        """Readings that count, in the order they were taken, now or as known at `as_of`.

        A day begins where the property or meter is that is named, else at midnight of the
        tenant's zone.
        """
        return self._pages(
            models.PageOfReading,
            "GET",
            "/v1/readings",
            query={
                "meter_id": meter_id,
                "property_id": property_id,
                "flow": flow,
                "kind": kind,
                "quality": quality,
                "from": from_,
                "to": to,
                "as_of": as_of,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_reading(
        self, reading_id: UUID, *, as_of: datetime | None = None
    ) -> models.Reading:
        """A reading as it counts, now or as known at `as_of`; 404 once it was withdrawn."""
        return await self._call(
            models.Reading,
            "GET",
            "/v1/readings/{reading_id}",
            parts={"reading_id": reading_id},
            query={"as_of": as_of},
        )

    async def change_reading(
        self,
        reading_id: UUID,
        body: models.ReadingReplacement,
        *,
        if_match: int | str | None = None,
    ) -> models.EnteredReading:
        """Correct a reading: another entry supersedes the last one, which stays in its history."""
        return await self._call(
            models.EnteredReading,
            "PUT",
            "/v1/readings/{reading_id}",
            parts={"reading_id": reading_id},
            body=body,
            if_match=if_match,
        )

    async def withdraw_reading(
        self, reading_id: UUID, *, note: str | None = None, if_match: int | str | None = None
    ) -> None:
        """Withdraw a reading, which then counts no more and stays in its history; of an
        exchange, both readings.
        """
        await self._do(
            "DELETE",
            "/v1/readings/{reading_id}",
            parts={"reading_id": reading_id},
            query={"note": note},
            if_match=if_match,
        )

    async def get_history(
        self, reading_id: UUID, *, as_of: datetime | None = None
    ) -> list[models.Reading]:
        """Every entry of a reading, oldest first, also of one that was withdrawn or whose meter
        was removed.
        """
        return await self._call(
            list[models.Reading],
            "GET",
            "/v1/readings/{reading_id}/history",
            parts={"reading_id": reading_id},
            query={"as_of": as_of},
        )

    async def list_customer_registers(self, customer_id: UUID) -> models.CustomerRegisters:
        """The registers of the meters that are the customer's today, or were within the last 60
        days, each with the last reading of the customer's own time of it.
        """
        return await self._call(
            models.CustomerRegisters,
            "GET",
            "/v1/customers/{customer_id}/registers",
            parts={"customer_id": customer_id},
        )

    async def submit_customer_readings(
        self,
        customer_id: UUID,
        body: models.NewCustomerReadings,
        *,
        idempotency_key: str | None = None,
    ) -> models.CustomerReadings:
        """Enter what a customer has read of its own registers on a day: all of it, or nothing.

        The readings have the note `read by the customer`. One of the same register and day
        that the customer sends again replaces the first; the same once more answers 200. A
        value lower than the last one, much higher than expected, or of a day before it is
        refused as `reading_unconfirmed` until it is sent as `confirmed`; readings of
        another's time of the meter are not compared with. A meter that is not the customer's
        on that local day is 404.
        """
        return await self._call(
            models.CustomerReadings,
            "POST",
            "/v1/customers/{customer_id}/readings",
            parts={"customer_id": customer_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def exchange_meter(
        self, meter_id: UUID, body: models.NewExchange, *, idempotency_key: str | None = None
    ) -> models.Exchange:
        """Replace a meter: the old one's closing reading and the new one's opening reading, in
        one step. Counting continues from one to the other; nothing was used between the two.
        """
        return await self._call(
            models.Exchange,
            "POST",
            "/v1/meters/{meter_id}/exchanges",
            parts={"meter_id": meter_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_current_readings(
        self, property_id: UUID, *, as_of: datetime | None = None
    ) -> models.CurrentReadings:
        """The last reading of each of a property's meters, with the derived ones computed."""
        return await self._call(
            models.CurrentReadings,
            "GET",
            "/v1/properties/{property_id}/current-readings",
            parts={"property_id": property_id},
            query={"as_of": as_of},
        )

    async def get_consumption(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        as_of: datetime | None = None,
    ) -> models.PropertyConsumption:
        """What each meter of a property counted in a time, over rollovers and exchanges. Between
        two readings it is a straight line, and the quality says so.
        """
        return await self._call(
            models.PropertyConsumption,
            "GET",
            "/v1/properties/{property_id}/consumption",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "as_of": as_of},
        )

    async def get_consumption_table(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        by: Literal["day", "month"] | None = None,
        as_of: datetime | None = None,
    ) -> models.ConsumptionTable:
        """What each meter of a property counted on each local day, or in each month."""
        return await self._call(
            models.ConsumptionTable,
            "GET",
            "/v1/properties/{property_id}/consumption/table",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "by": by, "as_of": as_of},
        )

    async def check_conservation(
        self,
        property_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        loss_percent_max: Decimal | None = None,
        as_of: datetime | None = None,
    ) -> models.Conservation:
        """Whether what a property was supplied went through the meters below it: main = subs +
        losses.

        Supplied is what its main meters count (where there is none, `total`) and what solar
        meters generate; metered are its sub meters and the main meters of the properties
        under it.
        """
        return await self._call(
            models.Conservation,
            "GET",
            "/v1/properties/{property_id}/conservation",
            parts={"property_id": property_id},
            query={"from": from_, "to": to, "loss_percent_max": loss_percent_max, "as_of": as_of},
        )

    async def get_stats(
        self,
        meter_id: UUID,
        *,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        as_of: datetime | None = None,
    ) -> models.Statistics:
        """Count, least, greatest, mean, first and last of a meter's values. For a derived meter,
        of its values at each moment at which an input was read and all are known.
        """
        return await self._call(
            models.Statistics,
            "GET",
            "/v1/meters/{meter_id}/stats",
            parts={"meter_id": meter_id},
            query={"flow": flow, "from": from_, "to": to, "as_of": as_of},
        )

    async def get_value(
        self,
        meter_id: UUID,
        *,
        at: datetime | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        as_of: datetime | None = None,
    ) -> models.Value:
        """What a meter shows at a moment (now, where it is left out), times its multiplier; a
        derived one, the sum of its inputs. Between two readings it lies on a straight line,
        and the quality says so; before the first and after the last nothing is known.
        """
        return await self._call(
            models.Value,
            "GET",
            "/v1/meters/{meter_id}/value",
            parts={"meter_id": meter_id},
            query={"at": at, "flow": flow, "as_of": as_of},
        )

    async def get_series(
        self,
        meter_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        by: Literal["15min", "hour", "day", "month"] | None = None,
        flow: Literal["import", "export", "load", "generation"] | None = None,
        as_of: datetime | None = None,
    ) -> models.Series:
        """A meter, read or derived, through a time: what it counted in each piece, which add up
        to exactly what it counted in all, and what it shows at each piece's end.
        """
        return await self._call(
            models.Series,
            "GET",
            "/v1/meters/{meter_id}/series",
            parts={"meter_id": meter_id},
            query={"from": from_, "to": to, "by": by, "flow": flow, "as_of": as_of},
        )

    async def define_meter(
        self, meter_id: UUID, body: models.NewDefinition, *, idempotency_key: str | None = None
    ) -> models.Definition:
        """Define what a derived meter is the sum of, from a local day on. Earlier days keep what
        they had; of two versions from one day the later one counts. A circle is refused.
        """
        return await self._call(
            models.Definition,
            "POST",
            "/v1/meters/{meter_id}/definitions",
            parts={"meter_id": meter_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def list_definitions(
        self, meter_id: UUID, *, as_of: datetime | None = None
    ) -> list[models.Definition]:
        """The versions of a derived meter's definition, oldest first."""
        return await self._call(
            list[models.Definition],
            "GET",
            "/v1/meters/{meter_id}/definitions",
            parts={"meter_id": meter_id},
            query={"as_of": as_of},
        )

    def list_accounts(
        self,
        *,
        currency: str | None = None,
        account_class: Literal[
            "receivable",
            "prepaid",
            "export_payable",
            "deposit",
            "budget",
            "payable",
            "revenue",
            "tax",
            "cash",
            "rounding",
            "write_off",
            "suspense",
            "opening_balance",
        ]
        | None = None,
        customer_id: UUID | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Account]:
        """Accounts with their balances now, by currency and code."""
        return self._pages(
            models.PageOfAccount,
            "GET",
            "/v1/accounts",
            query={
                "currency": currency,
                "account_class": account_class,
                "customer_id": customer_id,
                "limit": limit,
            },
        )

    async def get_account(
        self,
        account_id: UUID,
        *,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
    ) -> models.Account:
        """One account's balance, now or from what occurred (or was booked) up to and at `as_of`."""
        return await self._call(
            models.Account,
            "GET",
            "/v1/accounts/{account_id}",
            parts={"account_id": account_id},
            query={"as_of": as_of, "by": by},
        )

    async def get_customer_balance(
        self,
        customer_id: UUID,
        *,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
    ) -> models.CustomerBalances:
        """What a customer owes and has as credit, in every currency, now or as of a moment;
        arrears by that day in UTC.
        """
        return await self._call(
            models.CustomerBalances,
            "GET",
            "/v1/customers/{customer_id}/balance",
            parts={"customer_id": customer_id},
            query={"as_of": as_of, "by": by},
        )

    async def get_trial_balance(
        self, *, as_of: datetime | None = None, by: Literal["value", "booked"] | None = None
    ) -> models.TrialBalances:
        """What every account was debited and credited, per currency; the difference is zero."""
        return await self._call(
            models.TrialBalances, "GET", "/v1/trial-balance", query={"as_of": as_of, "by": by}
        )

    async def get_ageing(
        self,
        *,
        on: date | None = None,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
        customer_id: UUID | None = None,
    ) -> models.Ageing:
        """What is open by days since it was due, in every currency: now, or as it was at
        `as_of`; aged on the day `on`, by default that of the moment in UTC.
        """
        return await self._call(
            models.Ageing,
            "GET",
            "/v1/ageing",
            query={"on": on, "as_of": as_of, "by": by, "customer_id": customer_id},
        )

    def list_ageing_customers(
        self,
        *,
        currency: str,
        on: date | None = None,
        as_of: datetime | None = None,
        by: Literal["value", "booked"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.CustomerAgeing]:
        """The same for each customer with something open in a currency."""
        return self._pages(
            models.PageOfCustomerAgeing,
            "GET",
            "/v1/ageing/customers",
            query={"currency": currency, "on": on, "as_of": as_of, "by": by, "limit": limit},
        )

    async def get_reconciliation(self) -> models.Reconciliations:
        """Whether documents, postings, accounts and allocations agree: all are recounted."""
        return await self._call(models.Reconciliations, "GET", "/v1/reconciliation")

    async def get_statement(
        self,
        customer_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        currency: str,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv", "html", "pdf"] | None = None,
    ) -> models.Statement:
        """What a customer owed on balance and what changed it, from an instant up to, but
        without, another: as JSON, as CSV with one row per change, or as a document in the
        customer's language (a page, or PDF/A-3) with what is open today, under the letterhead
        in force.
        """
        return await self._call(
            models.Statement,
            "GET",
            "/v1/customers/{customer_id}/statement",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to, "currency": currency, "by": by, "format": format},
        )

    def get_statement_as(
        self,
        customer_id: UUID,
        accept: Literal["text/csv", "text/html", "application/pdf"],
        *,
        from_: datetime | date,
        to: datetime | date,
        currency: str,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv", "html", "pdf"] | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """What a customer owed on balance and what changed it, from an instant up to, but
        without, another: as JSON, as CSV with one row per change, or as a document in the
        customer's language (a page, or PDF/A-3) with what is open today, under the letterhead
        in force.
        """
        return self._download(
            "GET",
            "/v1/customers/{customer_id}/statement",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to, "currency": currency, "by": by, "format": format},
            accept=accept,
        )

    def list_invoices(
        self,
        *,
        customer_id: UUID | None = None,
        currency: str | None = None,
        state: Literal["open", "part_paid", "paid", "void"] | None = None,
        overdue_on: date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Invoice]:
        """Invoices and charges with what is open of each, the oldest first. `overdue_on` leaves
        only those that were due before that day and are not paid.
        """
        return self._pages(
            models.PageOfInvoice,
            "GET",
            "/v1/invoices",
            query={
                "customer_id": customer_id,
                "currency": currency,
                "state": state,
                "overdue_on": overdue_on,
                "limit": limit,
            },
        )

    async def get_invoice(self, invoice_id: UUID) -> models.InvoiceWithAllocations:
        """One invoice or charge, and everything that was allocated to it or taken back."""
        return await self._call(
            models.InvoiceWithAllocations,
            "GET",
            "/v1/invoices/{invoice_id}",
            parts={"invoice_id": invoice_id},
        )

    def list_transactions(
        self,
        *,
        kind: Literal[
            "invoice",
            "credit_note",
            "payment",
            "refund",
            "write_off",
            "adjustment",
            "allocation",
            "release",
            "reversal",
            "assignment",
            "settlement",
            "deposit",
            "opening_balance",
            "dunning_fee",
            "instalment",
            "deferral",
            "budget_settlement",
            "merge",
        ]
        | None = None,
        document_id: UUID | None = None,
        customer_id: UUID | None = None,
        currency: str | None = None,
        reference: str | None = None,
        correlation_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Transaction]:
        """Transactions with their postings, in the order they were recorded."""
        return self._pages(
            models.PageOfTransaction,
            "GET",
            "/v1/transactions",
            query={
                "kind": kind,
                "document_id": document_id,
                "customer_id": customer_id,
                "currency": currency,
                "reference": reference,
                "correlation_id": correlation_id,
                "limit": limit,
            },
        )

    async def get_transaction(self, transaction_id: UUID) -> models.Transaction:
        """One transaction with its postings."""
        return await self._call(
            models.Transaction,
            "GET",
            "/v1/transactions/{transaction_id}",
            parts={"transaction_id": transaction_id},
        )

    async def book_payment_file(
        self,
        body: Content,
        *,
        dry_run: bool | None = None,
        content_type: Literal["application/octet-stream", "text/csv"] = "application/octet-stream",
    ) -> models.PaymentFileResult:
        """Book the payments of a bank statement (camt.053) or a table (CSV: `booked_on`,
        `amount`, `currency`, `reference`; `payer`, `account`, `bank_reference`).

        A payment is the customer's whose invoices its text names, and pays these first; a
        direct debit pays its invoice. All others are unmatched, with suggestions. Where the
        bank took a direct debit back, its payment is reversed. A payment has an id by the
        bank's reference, else by all that the bank says of it, so the same payment is booked
        once, however many files have it. 422 where the file cannot be read: then nothing of
        it is booked.
        """
        return await self._call(
            models.PaymentFileResult,
            "POST",
            "/v1/payment-files",
            query={"dry_run": dry_run},
            body=body,
            content_type=content_type,
        )

    async def post_payment(
        self, body: models.NewPayment, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Post money that came in; 422 where an allocation does not fit."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/payments",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_deposit(
        self, body: models.NewDeposit, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Take a deposit; 422 of a customer whom nobody knows."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/deposits",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_refund(
        self, body: models.NewRefund, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Post money paid out; 422 beyond the credit that there is."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/refunds",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_write_off(
        self, body: models.NewWriteOff, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Give up what is open of invoices; 422 beyond that."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/write-offs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_adjustment(
        self, body: models.NewAdjustment, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Charge or credit a customer by hand, with the reason."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/adjustments",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_allocation(
        self, body: models.NewAllocation, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Spend a customer's credit on invoices; 422 where there is not so much of either."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/allocations",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_payments(
        self, body: models.NewPayments, *, idempotency_key: str | None = None
    ) -> models.PaymentResults:
        """Post up to 10 000 payments, in their order: all or nothing, or item by item.

        Each finds what those before it have paid. What all of them leave as credit is spent
        as the payment terms say, once they are posted. 201 where something was posted, 200
        where all were posted already, 422 where nothing could be. Give each its `id`: then a
        list that comes again posts nothing twice, whatever else is in it.
        """
        return await self._call(
            models.PaymentResults,
            "POST",
            "/v1/payments/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_opening_balances(
        self, body: models.NewOpeningBalances, *, idempotency_key: str | None = None
    ) -> models.OpeningBalances:
        """Book up to 500 opening balances, all or nothing; those that are booked already with
        the same content are answered as they are, with 200 where all of them are. One that
        was reversed is booked again.
        """
        return await self._call(
            models.OpeningBalances,
            "POST",
            "/v1/opening-balances/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_payment_plan(
        self, body: models.NewPaymentPlan, *, idempotency_key: str | None = None
    ) -> models.PaymentPlan:
        """Agree a plan over what is open of some invoices. It posts nothing: payments go to
        invoices by the rule as before. While it is kept, arrears and ageing count its
        instalments, and not the invoices' own due days.
        """
        return await self._call(
            models.PaymentPlan,
            "POST",
            "/v1/payment-plans",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_payment_plans(
        self,
        *,
        customer_id: UUID | None = None,
        currency: str | None = None,
        on: date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.PaymentPlan]:
        """Plans, the oldest first, each as it stands on a day by what is paid now."""
        return self._pages(
            models.PageOfPaymentPlan,
            "GET",
            "/v1/payment-plans",
            query={"customer_id": customer_id, "currency": currency, "on": on, "limit": limit},
        )

    async def preview_payment_plan(self, body: models.NewPaymentPlan) -> models.PlannedInstalments:
        """What would be agreed, without agreeing it."""
        return await self._call(
            models.PlannedInstalments, "POST", "/v1/payment-plans/preview", body=body
        )

    async def get_payment_plan(
        self, plan_id: UUID, *, on: date | None = None
    ) -> models.PaymentPlan:
        """One plan as it stands on a day, by what is paid now."""
        return await self._call(
            models.PaymentPlan,
            "GET",
            "/v1/payment-plans/{plan_id}",
            parts={"plan_id": plan_id},
            query={"on": on},
        )

    async def cancel_payment_plan(
        self, plan_id: UUID, body: models.NewCancellation, *, idempotency_key: str | None = None
    ) -> models.PaymentPlan:
        """End a plan, so that its invoices are due as they were. 409 where it has ended."""
        return await self._call(
            models.PaymentPlan,
            "POST",
            "/v1/payment-plans/{plan_id}/cancel",
            parts={"plan_id": plan_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_budget_plan(
        self, body: models.NewBudgetPlan, *, idempotency_key: str | None = None
    ) -> models.BudgetPlan:
        """Agree a plan. Its instalments are asked for by themselves, fourteen days before each
        is due: as open items, and not as invoices. Invoices of its time that are issued from
        now on wait for the settlement. 409 where another plan of the customer in this
        currency has some of its days.
        """
        return await self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_budget_plans(
        self,
        *,
        customer_id: UUID | None = None,
        currency: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.BudgetPlan]:
        """Plans, the oldest first."""
        return self._pages(
            models.PageOfBudgetPlan,
            "GET",
            "/v1/budget-plans",
            query={"customer_id": customer_id, "currency": currency, "limit": limit},
        )

    async def propose_budget(
        self, *, customer_id: UUID, currency: str, months: int | None = None
    ) -> models.BudgetProposal:
        """What to agree, by what a customer's invoices of the last months came to a month."""
        return await self._call(
            models.BudgetProposal,
            "GET",
            "/v1/budget-plans/proposal",
            query={"customer_id": customer_id, "currency": currency, "months": months},
        )

    async def get_budget_plan(self, budget_plan_id: UUID) -> models.BudgetPlan:
        """One plan, as it stands."""
        return await self._call(
            models.BudgetPlan,
            "GET",
            "/v1/budget-plans/{budget_plan_id}",
            parts={"budget_plan_id": budget_plan_id},
        )

    async def change_budget_amount(
        self,
        budget_plan_id: UUID,
        body: models.NewBudgetAmount,
        *,
        idempotency_key: str | None = None,
    ) -> models.BudgetPlan:
        """Ask for another amount from a day on; the same again changes nothing."""
        return await self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans/{budget_plan_id}/amount",
            parts={"budget_plan_id": budget_plan_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def end_budget_plan(
        self, budget_plan_id: UUID, body: models.NewBudgetEnd, *, idempotency_key: str | None = None
    ) -> models.BudgetPlan:
        """End a plan early, as of a customer who moves out: it asks for nothing that is due
        later, and is settled by itself as many days after its end as was agreed. The same
        again changes nothing.
        """
        return await self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans/{budget_plan_id}/end",
            parts={"budget_plan_id": budget_plan_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def settle_budget_plan(
        self, budget_plan_id: UUID, *, idempotency_key: str | None = None
    ) -> models.BudgetPlan:
        """Settle a plan whose time is over, when all invoices of it are there. What was used
        beyond what was asked for is an open item, due by the terms of payment; else the rest
        is credit, which pays what else is open. 409 where it goes on, or was settled.
        """
        return await self._call(
            models.BudgetPlan,
            "POST",
            "/v1/budget-plans/{budget_plan_id}/settlement",
            parts={"budget_plan_id": budget_plan_id},
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_dunning_rules(self) -> models.DunningRules:
        """The tenant's levels, and the least that anybody is dunned for."""
        return await self._call(models.DunningRules, "GET", "/v1/dunning-rules")

    async def put_dunning_rules(self, body: models.NewDunningRules) -> models.DunningRules:
        """Set all of them. Notices that were issued stay as they are, and what has reached a
        level goes on with the next one of the new rules.
        """
        return await self._call(models.DunningRules, "PUT", "/v1/dunning-rules", body=body)

    async def get_dunning_stop(self, customer_id: UUID) -> models.CustomerDunningStop:
        """The customer's stop, also once its last day has passed. 404 where there is none."""
        return await self._call(
            models.CustomerDunningStop,
            "GET",
            "/v1/customers/{customer_id}/dunning-stop",
            parts={"customer_id": customer_id},
        )

    async def put_dunning_stop(
        self, customer_id: UUID, body: models.NewDunningStop
    ) -> models.CustomerDunningStop:
        """Have the customer get no notices, from now on. Those that were issued stay, and so do
        their fees; what is overdue stays overdue.
        """
        return await self._call(
            models.CustomerDunningStop,
            "PUT",
            "/v1/customers/{customer_id}/dunning-stop",
            parts={"customer_id": customer_id},
            body=body,
        )

    async def delete_dunning_stop(self, customer_id: UUID) -> None:
        """Have the customer get notices again. 404 where there is no stop."""
        await self._do(
            "DELETE", "/v1/customers/{customer_id}/dunning-stop", parts={"customer_id": customer_id}
        )

    async def start_dunning_run(
        self, body: models.NewDunningRun, *, idempotency_key: str | None = None
    ) -> models.DunningRun:
        """Have all customers looked at, in the background: each invoice that has reached its
        next level gets there with a notice, one for each customer and currency, and its fee
        is booked. What was done by an earlier run is not done again. 409 while another run
        goes on.
        """
        return await self._call(
            models.DunningRun,
            "POST",
            "/v1/dunning-runs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_dunning_runs(self, *, limit: int | None = None) -> AsyncIterator[models.DunningRun]:
        """Runs, the newest first."""
        return self._pages(
            models.PageOfDunningRun, "GET", "/v1/dunning-runs", query={"limit": limit}
        )

    def preview_dunning_run(
        self, *, on: date | None = None, limit: int | None = None
    ) -> AsyncIterator[models.PreviewedNotice]:
        """The notices that a run would issue now; nothing is stored. A page has those of up to
        `limit` customers of whom something is overdue, and may have none although another
        page follows.
        """
        return self._pages(
            models.PageOfPreviewedNotice,
            "GET",
            "/v1/dunning-runs/preview",
            query={"on": on, "limit": limit},
        )

    async def get_dunning_run(self, run_id: UUID) -> models.DunningRun:
        """One run, as far as it has come."""
        return await self._call(
            models.DunningRun, "GET", "/v1/dunning-runs/{run_id}", parts={"run_id": run_id}
        )

    def list_dunning_notices(
        self,
        *,
        customer_id: UUID | None = None,
        run_id: UUID | None = None,
        state: Literal["issued", "withdrawn"] | None = None,
        sort: Literal["issued_at", "-issued_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.DunningNotice]:
        """Notices, the oldest first unless sorted otherwise."""
        return self._pages(
            models.PageOfDunningNotice,
            "GET",
            "/v1/dunning-notices",
            query={
                "customer_id": customer_id,
                "run_id": run_id,
                "state": state,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_dunning_notice(self, notice_id: UUID) -> models.DunningNotice:
        """One notice."""
        return await self._call(
            models.DunningNotice,
            "GET",
            "/v1/dunning-notices/{notice_id}",
            parts={"notice_id": notice_id},
        )

    def get_dunning_notice_document(
        self, notice_id: UUID, *, format: Literal["html", "pdf"] | None = None
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """The notice as a letter, a page or PDF/A-3, in the customer's language and with the
        letterhead of the day on which it was issued.
        """
        return self._download(
            "GET",
            "/v1/dunning-notices/{notice_id}/document",
            parts={"notice_id": notice_id},
            query={"format": format},
        )

    async def withdraw_dunning_notice(
        self, notice_id: UUID, body: models.NewWithdrawal, *, idempotency_key: str | None = None
    ) -> models.DunningNotice:
        """Have a notice count no more: its fee is reversed, and its invoices are at the level
        before, so that they may reach this one again. 409 where it was withdrawn, or one of
        its invoices has reached another level since.
        """
        return await self._call(
            models.DunningNotice,
            "POST",
            "/v1/dunning-notices/{notice_id}/withdraw",
            parts={"notice_id": notice_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_mandate(self, customer_id: UUID) -> models.Mandate:
        """The customer's mandate, with its account masked."""
        return await self._call(
            models.Mandate,
            "GET",
            "/v1/customers/{customer_id}/mandate",
            parts={"customer_id": customer_id},
        )

    async def put_mandate(self, customer_id: UUID, body: models.NewMandate) -> models.Mandate:
        """Collect the customer's invoices by this mandate from now on; it replaces the one
        before. What was used or revoked cannot be changed: what is signed anew has an id of
        its own.
        """
        return await self._call(
            models.Mandate,
            "PUT",
            "/v1/customers/{customer_id}/mandate",
            parts={"customer_id": customer_id},
            body=body,
        )

    async def revoke_mandate(self, customer_id: UUID) -> None:
        """Collect nothing more by the customer's mandate, which stays to be seen. Batches that
        were made stay as they are.
        """
        await self._do(
            "DELETE", "/v1/customers/{customer_id}/mandate", parts={"customer_id": customer_id}
        )

    async def get_direct_debit_settings(self) -> models.DirectDebitSettings:
        """For whom direct debits are collected."""
        return await self._call(models.DirectDebitSettings, "GET", "/v1/direct-debit-settings")

    async def put_direct_debit_settings(
        self, body: models.NewDirectDebitSettings
    ) -> models.DirectDebitSettings:
        """Collect for this creditor from now on; batches that were made stay as they are."""
        return await self._call(
            models.DirectDebitSettings, "PUT", "/v1/direct-debit-settings", body=body
        )

    async def make_direct_debits(
        self, body: models.NewDirectDebits, *, idempotency_key: str | None = None
    ) -> models.DirectDebits:
        """Collect what is due of customers with a mandate in force, in euros, the oldest first:
        a debit for what is open of each invoice or charge.

        Left out is what another debit may still bring, what came back, and what is in a
        payment plan, until that is cancelled. Where nothing is due, no batch is made and its
        id is null.
        """
        return await self._call(
            models.DirectDebits,
            "POST",
            "/v1/direct-debits",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_direct_debits(
        self, *, sort: Literal["created_at", "-created_at"] | None = None, limit: int | None = None
    ) -> AsyncIterator[models.DirectDebitBatch]:
        """Batches, the oldest first unless sorted otherwise, without their debits."""
        return self._pages(
            models.PageOfDirectDebitBatch,
            "GET",
            "/v1/direct-debits",
            query={"sort": sort, "limit": limit},
        )

    async def get_direct_debits(self, batch_id: UUID) -> models.DirectDebits:
        """One batch, with what the bank's statements have said of each debit."""
        return await self._call(
            models.DirectDebits, "GET", "/v1/direct-debits/{batch_id}", parts={"batch_id": batch_id}
        )

    def get_direct_debit_file(self, batch_id: UUID) -> AbstractAsyncContextManager[AsyncDownload]:
        """The file for the bank: pain.008.001.08, the same bytes for ever. 410 once somebody in
        it is erased, 409 of a batch that is cancelled.

        It has whole account numbers, so it takes a key that may write.
        """
        return self._download(
            "GET", "/v1/direct-debits/{batch_id}/file", parts={"batch_id": batch_id}
        )

    async def cancel_direct_debits(
        self, batch_id: UUID, *, idempotency_key: str | None = None
    ) -> models.DirectDebits:
        """Have a batch not collected, so that its items may be in another one. 409 from the day
        of its collection on: the bank may have begun.
        """
        return await self._call(
            models.DirectDebits,
            "POST",
            "/v1/direct-debits/{batch_id}/cancel",
            parts={"batch_id": batch_id},
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_unmatched_payments(
        self, *, limit: int | None = None
    ) -> AsyncIterator[models.UnmatchedPayment]:
        """Payments that stand in suspense, the oldest first."""
        return self._pages(
            models.PageOfUnmatchedPayment, "GET", "/v1/unmatched-payments", query={"limit": limit}
        )

    async def assign_unmatched_payment(
        self, payment_id: UUID, body: models.NewAssignment, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Give the payment to a customer who pays in its currency; 409 where it was assigned or
        paid back. The reversal of the assignment makes it unmatched again.
        """
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/unmatched-payments/{payment_id}/assignment",
            parts={"payment_id": payment_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def refund_unmatched_payment(
        self, payment_id: UUID, body: models.NewReturn, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Pay the money back; 409 where the payment was assigned or paid back."""
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/unmatched-payments/{payment_id}/refund",
            parts={"payment_id": payment_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_payees(
        self,
        *,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        by: Literal["value", "booked"] | None = None,
        payee: str | None = None,
        currency: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Payee]:
        """Who is owed what, by currency and name: what came and was paid in a period, and the
        rest.

        Without `from` it is counted from the beginning, without `to` until now.
        """
        return self._pages(
            models.PageOfPayee,
            "GET",
            "/v1/payees",
            query={
                "from": from_,
                "to": to,
                "by": by,
                "payee": payee,
                "currency": currency,
                "limit": limit,
            },
        )

    async def get_payee_statement(
        self,
        payee_id: UUID,
        *,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv"] | None = None,
    ) -> models.PayeeStatement:
        """What a payee is owed, by invoice, and what was paid of it, as JSON or CSV.

        Without `from` it is counted from the beginning, without `to` until now.
        """
        return await self._call(
            models.PayeeStatement,
            "GET",
            "/v1/payees/{payee_id}/statement",
            parts={"payee_id": payee_id},
            query={"from": from_, "to": to, "by": by, "format": format},
        )

    def get_payee_statement_as(
        self,
        payee_id: UUID,
        accept: Literal["text/csv"],
        *,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        by: Literal["value", "booked"] | None = None,
        format: Literal["json", "csv"] | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """What a payee is owed, by invoice, and what was paid of it, as JSON or CSV.

        Without `from` it is counted from the beginning, without `to` until now.
        """
        return self._download(
            "GET",
            "/v1/payees/{payee_id}/statement",
            parts={"payee_id": payee_id},
            query={"from": from_, "to": to, "by": by, "format": format},
            accept=accept,
        )

    async def settle_payee(
        self, payee_id: UUID, body: models.NewSettlement, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Post money paid to a payee; 422 beyond what is owed. `/v1/transactions/{id}/reversal`
        undoes it.
        """
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/payees/{payee_id}/settlements",
            parts={"payee_id": payee_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def post_reversal(
        self, transaction_id: UUID, body: models.NewReversal, *, idempotency_key: str | None = None
    ) -> models.Transaction:
        """Undo a transaction by one that mirrors it. 409 the second time, for invoices, and
        where the credit that it gave was spent; 422 as of a moment before the transaction
        itself.
        """
        return await self._call(
            models.Transaction,
            "POST",
            "/v1/transactions/{transaction_id}/reversal",
            parts={"transaction_id": transaction_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_payment_terms(self) -> models.PaymentTerms:
        """The tenant's payment terms."""
        return await self._call(models.PaymentTerms, "GET", "/v1/payment-terms")

    async def put_payment_terms(self, body: models.NewPaymentTerms) -> models.PaymentTerms:
        """Change them: days for invoices that are posted from now on; where credit is to pay by
        itself from now on, it also pays what is open already, within seconds.
        """
        return await self._call(models.PaymentTerms, "PUT", "/v1/payment-terms", body=body)

    async def get_status(self) -> models.Status:
        """How far sealing has come, recounted."""
        return await self._call(models.Status, "GET", "/v1/ledger/status")

    async def get_seal(self, entry_id: UUID) -> models.Seal:
        """Where an entry stands: a transaction, an entry of a reading or of a definition, the
        end of a meter, or by the invoice's id the note that it was voided. 404 until it is
        sealed.
        """
        return await self._call(
            models.Seal, "GET", "/v1/ledger/seals/{entry_id}", parts={"entry_id": entry_id}
        )

    async def get_checkpoint(self, *, size: int | None = None) -> models.SealedCheckpoint:
        """The checkpoint after all sealed entries, or after the first `size` of them."""
        return await self._call(
            models.SealedCheckpoint, "GET", "/v1/ledger/checkpoint", query={"size": size}
        )

    def list_checkpoints(
        self, *, limit: int | None = None
    ) -> AsyncIterator[models.StoredCheckpoint]:
        """The checkpoints that the ledger made as it grew, one per 1024 entries, the oldest
        first.
        """
        return self._pages(
            models.PageOfStoredCheckpoint, "GET", "/v1/ledger/checkpoints", query={"limit": limit}
        )

    async def get_proof(self, seq: int, *, size: int | None = None) -> models.Proof:
        """A proof that the entry is among all sealed entries, or among the first `size`."""
        return await self._call(
            models.Proof,
            "GET",
            "/v1/ledger/entries/{seq}/proof",
            parts={"seq": seq},
            query={"size": size},
        )

    async def erase_entry(self, seq: int) -> models.ErasedEntry:
        """Take away what may name people in a sealed entry (references, memos, notes, reasons,
        names, addresses), for good; the chain stays as it is. The second time answers the
        same.

        409 for what a property or meter is called now, and where there is nothing to erase.
        """
        return await self._call(
            models.ErasedEntry, "POST", "/v1/ledger/entries/{seq}/erase", parts={"seq": seq}
        )

    def export(self, *, after: int | None = None) -> AbstractAsyncContextManager[AsyncDownload]:
        """Every sealed entry from `after` + 1 on, one JSON line each, between a header and the
        checkpoint that they lead to. `gridtally verify ledger --export` checks it without a
        server.
        """
        return self._download("GET", "/v1/ledger/export", query={"after": after})

    def list_dead_letters(
        self,
        *,
        topic: str | None = None,
        reason: str | None = None,
        status: Literal["open", "replayed", "discarded"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message
        was given up.
        """
        return self._pages(
            models.PageOfDeadLetter,
            "GET",
            "/v1/dead-letters",
            query={
                "topic": topic,
                "reason": reason,
                "status": status,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    async def count_dead_letters(self) -> models.DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        return await self._call(models.DeadLetterCounts, "GET", "/v1/dead-letters/counts")

    async def get_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """One letter with its key, headers and value."""
        return await self._call(
            models.DeadLetterWithValue,
            "GET",
            "/v1/dead-letters/{dead_letter_id}",
            parts={"dead_letter_id": dead_letter_id},
        )

    async def replay_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where
        it is refused again, and then it stays open.
        """
        return await self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/replay",
            parts={"dead_letter_id": dead_letter_id},
        )

    async def discard_dead_letter(
        self, dead_letter_id: UUID, body: models.Discard
    ) -> models.DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        return await self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/discard",
            parts={"dead_letter_id": dead_letter_id},
            body=body,
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
