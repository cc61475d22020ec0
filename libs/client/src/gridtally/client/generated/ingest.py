"""The operations of ingest. Generated from docs/openapi/ingest.json by `make docs`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from gridtally.client.downloads import AsyncDownload, Download
from gridtally.client.generated import ingest_models as models
from gridtally.client.requests import Content
from gridtally.client.transports import AsyncOperations, Operations


class Ingest(Operations):
    """The operations of ingest."""

    def submit_readings(
        self,
        body: models.NewBlocks | models.NewBlock | Content,
        *,
        content_type: Literal[
            "application/json",
            "application/x-ndjson",
            "application/cloudevents+json",
            "application/cloudevents-batch+json",
        ] = "application/json",
    ) -> models.IntakeResult:
        """Take in blocks of readings: `{"items": […]}`, a single block, events of CloudEvents,
        or NDJSON of any length.

        202 once the broker has acknowledged what was accepted; 422 when nothing was. Of
        NDJSON each batch of lines is taken in as it comes; where a later one fails (the
        broker is away, the body breaks off), the problem says how many lines had been taken
        in.
        """
        return self._call(
            models.IntakeResult, "POST", "/v1/readings", body=body, content_type=content_type
        )

    def stream_readings(
        self,
        *,
        meter_id: UUID | None = None,
        property_id: UUID | None = None,
        flow: Literal[
            "import", "export", "load", "generation", "reactive_import", "reactive_export"
        ]
        | None = None,
        last_event_id: str | None = None,
    ) -> AbstractContextManager[Download]:
        """Readings as they are published, as server-sent events, until the caller goes away.

        At most ten events a second; where more have come, the newest version of each channel-
        day is sent, and a `gap` where too many wait. A stream ends after half an hour: come
        back with the id of the last event. A comment comes where nothing else has for a
        quarter of a minute. A WebSocket may be opened here instead, see the answer 101.
        """
        return self._download(
            "GET",
            "/v1/readings/stream",
            query={
                "meter_id": meter_id,
                "property_id": property_id,
                "flow": flow,
                "last_event_id": last_event_id,
            },
        )

    def create_import(
        self,
        body: Content,
        *,
        name: str,
        zone: str,
        content_type: Literal["application/octet-stream", "text/csv"] = "application/octet-stream",
    ) -> models.Import:
        """Send a file (CSV, NEM12, Green Button) and see what it seems to be; nothing is
        imported yet.

        The same content again is the same import (200).
        """
        return self._call(
            models.Import,
            "POST",
            "/v1/imports",
            query={"name": name, "zone": zone},
            body=body,
            content_type=content_type,
        )

    def list_imports(self, *, limit: int | None = None) -> Iterator[models.Import]:
        """All imports, oldest first."""
        return self._pages(models.PageOfImport, "GET", "/v1/imports", query={"limit": limit})

    def get_import(self, import_id: UUID) -> models.Import:
        """An import: what the file seems to be, how far it has come, what was refused."""
        return self._call(
            models.Import, "GET", "/v1/imports/{import_id}", parts={"import_id": import_id}
        )

    def check_import(self, import_id: UUID, body: models.Declaration) -> models.ImportCheck:
        """Read the file as declared and check every block against its meter, without importing
        it.
        """
        return self._call(
            models.ImportCheck,
            "POST",
            "/v1/imports/{import_id}/check",
            parts={"import_id": import_id},
            body=body,
        )

    def run_import(self, import_id: UUID, body: models.Declaration) -> models.Import:
        """Confirm how the file is read, and import it: its blocks are published as a gateway's
        are.

        202; `GET` shows how far it has come. What is refused is listed there, and can be
        replayed.
        """
        return self._call(
            models.Import,
            "POST",
            "/v1/imports/{import_id}/run",
            parts={"import_id": import_id},
            body=body,
        )

    def replay_import(self, import_id: UUID) -> models.Import:
        """Publish an import that is done again, once what was refused is repaired (a meter is
        registered, a limit raised); what is stored already changes nothing.
        """
        return self._call(
            models.Import, "POST", "/v1/imports/{import_id}/replay", parts={"import_id": import_id}
        )

    def undo_import(self, import_id: UUID) -> models.Import:
        """Withdraw all that an import that is done has brought: what was known before it is
        known again, and usage, periods and bills follow. It can be run again afterwards.
        """
        return self._call(
            models.Import, "POST", "/v1/imports/{import_id}/undo", parts={"import_id": import_id}
        )

    def get_meter(self, meter_id: UUID) -> models.Meter:
        """The meter, as it was registered."""
        return self._call(
            models.Meter, "GET", "/v1/meters/{meter_id}", parts={"meter_id": meter_id}
        )

    def get_series(
        self,
        meter_id: UUID,
        *,
        flow: Literal[
            "import", "export", "load", "generation", "reactive_import", "reactive_export"
        ],
        from_: datetime | date,
        to: datetime | date,
        resolution: Literal["native", "15", "30", "60", "1440", "month"] | None = None,
        as_known_at: datetime | None = None,
    ) -> models.Series:
        """Energy per interval, `from` up to, but without, `to`: instants, or local dates.

        Coarser resolutions are exact sums over whole intervals of the local day or month,
        from the one in which `from` lies. `as_known_at` answers from what had been received
        by then.
        """
        return self._call(
            models.Series,
            "GET",
            "/v1/meters/{meter_id}/series",
            parts={"meter_id": meter_id},
            query={
                "flow": flow,
                "from": from_,
                "to": to,
                "resolution": resolution,
                "as_known_at": as_known_at,
            },
        )

    def get_completeness(self, meter_id: UUID, *, from_: date, to: date) -> models.Completeness:
        """How much of each local day is there."""
        return self._call(
            models.Completeness,
            "GET",
            "/v1/meters/{meter_id}/completeness",
            parts={"meter_id": meter_id},
            query={"from": from_, "to": to},
        )

    def get_register_sums(
        self,
        meter_id: UUID,
        *,
        flow: Literal[
            "import", "export", "load", "generation", "reactive_import", "reactive_export"
        ],
        from_: date,
        to: date,
    ) -> models.RegisterSums:
        """What the register counted between its readings, and the sum of the intervals, from the
        last reading before the local days to the first after them. The rule `register_sum`
        flags what differs; this says the same whether it is on or off. For at most 10 000
        readings.
        """
        return self._call(
            models.RegisterSums,
            "GET",
            "/v1/meters/{meter_id}/register-sums",
            parts={"meter_id": meter_id},
            query={"flow": flow, "from": from_, "to": to},
        )

    def query_series(self, body: models.SeriesQuery) -> models.SeriesRow:
        """The series of many meters: NDJSON, or Arrow's IPC stream where `Accept` asks for that.

        A batch of channels is in memory at a time, each read as it is at that moment; name
        `as_known_at` where all must be of one moment.
        """
        return self._call(models.SeriesRow, "POST", "/v1/series/query", body=body)

    def query_series_as(
        self,
        body: models.SeriesQuery,
        accept: Literal["application/x-ndjson", "application/vnd.apache.arrow.stream"],
    ) -> AbstractContextManager[Download]:
        """The series of many meters: NDJSON, or Arrow's IPC stream where `Accept` asks for that.

        A batch of channels is in memory at a time, each read as it is at that moment; name
        `as_known_at` where all must be of one moment.
        """
        return self._download("POST", "/v1/series/query", body=body, accept=accept)

    def export_series(
        self,
        body: models.ChannelSelection,
        *,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
    ) -> AbstractContextManager[Download]:
        """Every interval of many meters as a file, a row each, streamed: by meter, flow and
        time.

        Of a local day that has anything all intervals are there, those without a value with
        an empty energy; a day that has nothing has no row. NDJSON, with an array for each
        channel, is what `/v1/series/query` answers.
        """
        return self._download("POST", "/v1/series/export", query={"format": format}, body=body)

    def query_completeness(self, body: models.ChannelSelection) -> models.PortfolioCompleteness:
        """How many intervals each local day of many meters has, and should have."""
        return self._call(
            models.PortfolioCompleteness, "POST", "/v1/series/completeness", body=body
        )

    def list_periods(
        self,
        *,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        state: Literal["open", "closed", "cancelled"] | None = None,
        ended_by: date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Period]:
        """Periods by agreement and first day. `state=open` with today as `ended_by`: what is
        late.
        """
        return self._pages(
            models.PageOfPeriod,
            "GET",
            "/v1/periods",
            query={
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "state": state,
                "ended_by": ended_by,
                "limit": limit,
            },
        )

    def close_period(self, agreement_id: UUID, start_on: date) -> models.Period:
        """Close an ended period now, with what is there; 409 when it is closed already and has
        lost no value since.
        """
        return self._call(
            models.Period,
            "POST",
            "/v1/agreements/{agreement_id}/periods/{start_on}/close",
            parts={"agreement_id": agreement_id, "start_on": start_on},
        )

    def list_quarantine(
        self,
        *,
        meter_id: UUID | None = None,
        replayed: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[models.QuarantinedBlock]:
        """Refused blocks, oldest first; those that were replayed only with `replayed=true`."""
        return self._pages(
            models.PageOfQuarantinedBlock,
            "GET",
            "/v1/quarantine",
            query={"meter_id": meter_id, "replayed": replayed, "limit": limit},
        )

    def replay_block(self, quarantine_id: UUID) -> models.ReplayedBlock:
        """Check the block again and store it; 409 when it is refused again."""
        return self._call(
            models.ReplayedBlock,
            "POST",
            "/v1/quarantine/{quarantine_id}/replay",
            parts={"quarantine_id": quarantine_id},
        )

    def list_pending_meters(self, *, limit: int | None = None) -> Iterator[models.PendingMeter]:
        """Meters that are not known yet and that have pending blocks, by id."""
        return self._pages(
            models.PageOfPendingMeter, "GET", "/v1/pending-blocks", query={"limit": limit}
        )

    def list_register_exceptions(
        self, *, meter_id: UUID | None = None, limit: int | None = None
    ) -> Iterator[models.RegisterException]:
        """Where two readings of a register make no energy, by meter, flow and moment.

        Correct or withdraw the wrong reading in the ledger, and the exception leaves this
        list.
        """
        return self._pages(
            models.PageOfRegisterException,
            "GET",
            "/v1/register-exceptions",
            query={"meter_id": meter_id, "limit": limit},
        )

    def get_validation_rules(self) -> models.ValidationRules:
        """The rules that there are, and which of them the tenant has on."""
        return self._call(models.ValidationRules, "GET", "/v1/validation-rules")

    def put_validation_rules(
        self, body: models.NewValidationRules, *, if_match: int | str | None = None
    ) -> models.ValidationRules:
        """Replace the tenant's rules. They count for what comes from now on; verdicts of rules
        that are on no more are cleared.
        """
        return self._call(
            models.ValidationRules, "PUT", "/v1/validation-rules", body=body, if_match=if_match
        )

    def list_validation_verdicts(
        self,
        *,
        meter_id: UUID | None = None,
        rule: Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | None = None,
        from_: date | None = None,
        to: date | None = None,
        cleared: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[models.ValidationVerdict]:
        """What rules say of stored days, by day; with `cleared=true` also what holds no more.

        Blocks that a rule has quarantined are in `/v1/quarantine`.
        """
        return self._pages(
            models.PageOfValidationVerdict,
            "GET",
            "/v1/validation-verdicts",
            query={
                "meter_id": meter_id,
                "rule": rule,
                "from": from_,
                "to": to,
                "cleared": cleared,
                "limit": limit,
            },
        )

    def submit_device_events(
        self, body: models.NewDeviceEvents | models.NewDeviceEvent
    ) -> models.IntakeResult:
        """Take in events of devices: `{"items": […]}`, or a single one.

        202 once the broker has acknowledged what was accepted; 422 when nothing was. The same
        event again, by its id or by meter, kind and instant, changes nothing.
        """
        return self._call(models.IntakeResult, "POST", "/v1/device-events", body=body)

    def list_device_events(
        self,
        *,
        meter_id: UUID | None = None,
        kind: Literal[
            "meter_cover_opened",
            "meter_cover_closed",
            "terminal_cover_opened",
            "terminal_cover_closed",
            "magnetic_field_detected",
            "magnetic_field_ended",
            "reverse_run_detected",
            "reverse_run_ended",
            "current_bypass_detected",
            "access_refused",
            "replay_attack",
            "power_outage",
            "power_restored",
            "phase_missing",
            "undervoltage",
            "overvoltage",
            "clock_set",
            "clock_invalid",
            "battery_low",
            "battery_replaced",
            "memory_error",
            "measurement_error",
            "watchdog_reset",
            "firmware_changed",
            "parameters_changed",
            "disconnected",
            "reconnected",
        ]
        | None = None,
        severity: Literal["tamper", "warning", "info"] | None = None,
        from_: datetime | None = None,
        to: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[models.DeviceEvent]:
        """What meters noted of themselves, the newest first."""
        return self._pages(
            models.PageOfDeviceEvent,
            "GET",
            "/v1/device-events",
            query={
                "meter_id": meter_id,
                "kind": kind,
                "severity": severity,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    def get_alert_rules(self) -> models.AlertRules:
        """The kinds of alerts that there are, and which of them the tenant has on."""
        return self._call(models.AlertRules, "GET", "/v1/alert-rules")

    def put_alert_rules(
        self, body: models.NewAlertRules, *, if_match: int | str | None = None
    ) -> models.AlertRules:
        """Replace the tenant's rules for alerts. All meters are looked at by them; alerts of
        kinds that are on no more are cleared.
        """
        return self._call(models.AlertRules, "PUT", "/v1/alert-rules", body=body, if_match=if_match)

    def list_alerts(
        self,
        *,
        state: Literal["open", "cleared", "all"] | None = None,
        kind: Literal[
            "missing_readings",
            "dead_meter",
            "stuck_meter",
            "unusual_use",
            "back_feed",
            "clock_drift",
            "conservation",
            "tamper",
        ]
        | None = None,
        meter_id: UUID | None = None,
        since: datetime | None = None,
        acknowledged: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Alert]:
        """Alerts, the newest first."""
        return self._pages(
            models.PageOfAlert,
            "GET",
            "/v1/alerts",
            query={
                "state": state,
                "kind": kind,
                "meter_id": meter_id,
                "since": since,
                "acknowledged": acknowledged,
                "limit": limit,
            },
        )

    def get_alert(self, alert_id: UUID) -> models.Alert:
        """An alert."""
        return self._call(
            models.Alert, "GET", "/v1/alerts/{alert_id}", parts={"alert_id": alert_id}
        )

    def acknowledge_alert(self, alert_id: UUID, body: models.Acknowledgement) -> None:
        """Say that somebody has seen the alert, with a note. It stays open until it ends."""
        self._do(
            "POST", "/v1/alerts/{alert_id}/acknowledge", parts={"alert_id": alert_id}, body=body
        )

    def get_estimation_settings(self) -> models.EstimationSettings:
        """How the tenant estimates."""
        return self._call(models.EstimationSettings, "GET", "/v1/estimation-settings")

    def put_estimation_settings(
        self, body: models.NewEstimationSettings, *, if_match: int | str | None = None
    ) -> models.EstimationSettings:
        """Estimate otherwise from now on; what was estimated stays."""
        return self._call(
            models.EstimationSettings,
            "PUT",
            "/v1/estimation-settings",
            body=body,
            if_match=if_match,
        )

    def list_estimates(
        self,
        *,
        meter_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.EstimatedDay]:
        """What was estimated, by day: values, methods, and what actual values changed since."""
        return self._pages(
            models.PageOfEstimatedDay,
            "GET",
            "/v1/estimates",
            query={"meter_id": meter_id, "from": from_, "to": to, "limit": limit},
        )

    def list_estimate_accuracy(
        self, *, meter_id: UUID | None = None, limit: int | None = None
    ) -> Iterator[models.MethodAccuracy]:
        """How far estimates were off, by meter and method, where actual values came later."""
        return self._pages(
            models.PageOfMethodAccuracy,
            "GET",
            "/v1/estimates/accuracy",
            query={"meter_id": meter_id, "limit": limit},
        )

    def reconcile(self) -> models.Reconciliation:
        """Whether received = stored + duplicates + quarantined + pending + dropped, and the
        tables agree.
        """
        return self._call(models.Reconciliation, "GET", "/v1/reconciliation")

    def get_archive_settings(self) -> models.ArchiveSettings:
        """How long the tenant's readings stay in the database."""
        return self._call(models.ArchiveSettings, "GET", "/v1/archive-settings")

    def put_archive_settings(
        self, body: models.NewArchiveSettings, *, if_match: int | str | None = None
    ) -> models.ArchiveSettings:
        """Archive months from some age on. Answers stay the same, series, exports and what was
        known at an instant included; 409 where the installation has no archive.
        """
        return self._call(
            models.ArchiveSettings, "PUT", "/v1/archive-settings", body=body, if_match=if_match
        )

    def list_archived_shards(self, *, limit: int | None = None) -> Iterator[models.ArchivedShard]:
        """What has left the database, oldest month first: the files with their counts and
        SHA-256.
        """
        return self._pages(
            models.PageOfArchivedShard, "GET", "/v1/archived-shards", query={"limit": limit}
        )

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


class AsyncIngest(AsyncOperations):
    """The operations of ingest, for an event loop."""

    async def submit_readings(
        self,
        body: models.NewBlocks | models.NewBlock | Content,
        *,
        content_type: Literal[
            "application/json",
            "application/x-ndjson",
            "application/cloudevents+json",
            "application/cloudevents-batch+json",
        ] = "application/json",
    ) -> models.IntakeResult:
        """Take in blocks of readings: `{"items": […]}`, a single block, events of CloudEvents,
        or NDJSON of any length.

        202 once the broker has acknowledged what was accepted; 422 when nothing was. Of
        NDJSON each batch of lines is taken in as it comes; where a later one fails (the
        broker is away, the body breaks off), the problem says how many lines had been taken
        in.
        """
        return await self._call(
            models.IntakeResult, "POST", "/v1/readings", body=body, content_type=content_type
        )

    def stream_readings(
        self,
        *,
        meter_id: UUID | None = None,
        property_id: UUID | None = None,
        flow: Literal[
            "import", "export", "load", "generation", "reactive_import", "reactive_export"
        ]
        | None = None,
        last_event_id: str | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """Readings as they are published, as server-sent events, until the caller goes away.

        At most ten events a second; where more have come, the newest version of each channel-
        day is sent, and a `gap` where too many wait. A stream ends after half an hour: come
        back with the id of the last event. A comment comes where nothing else has for a
        quarter of a minute. A WebSocket may be opened here instead, see the answer 101.
        """
        return self._download(
            "GET",
            "/v1/readings/stream",
            query={
                "meter_id": meter_id,
                "property_id": property_id,
                "flow": flow,
                "last_event_id": last_event_id,
            },
        )

    async def create_import(
        self,
        body: Content,
        *,
        name: str,
        zone: str,
        content_type: Literal["application/octet-stream", "text/csv"] = "application/octet-stream",
    ) -> models.Import:
        """Send a file (CSV, NEM12, Green Button) and see what it seems to be; nothing is
        imported yet.

        The same content again is the same import (200).
        """
        return await self._call(
            models.Import,
            "POST",
            "/v1/imports",
            query={"name": name, "zone": zone},
            body=body,
            content_type=content_type,
        )

    def list_imports(self, *, limit: int | None = None) -> AsyncIterator[models.Import]:
        """All imports, oldest first."""
        return self._pages(models.PageOfImport, "GET", "/v1/imports", query={"limit": limit})

    async def get_import(self, import_id: UUID) -> models.Import:
        """An import: what the file seems to be, how far it has come, what was refused."""
        return await self._call(
            models.Import, "GET", "/v1/imports/{import_id}", parts={"import_id": import_id}
        )

    async def check_import(self, import_id: UUID, body: models.Declaration) -> models.ImportCheck:
        """Read the file as declared and check every block against its meter, without importing
        it.
        """
        return await self._call(
            models.ImportCheck,
            "POST",
            "/v1/imports/{import_id}/check",
            parts={"import_id": import_id},
            body=body,
        )

    async def run_import(self, import_id: UUID, body: models.Declaration) -> models.Import:
        """Confirm how the file is read, and import it: its blocks are published as a gateway's
        are.

        202; `GET` shows how far it has come. What is refused is listed there, and can be
        replayed.
        """
        return await self._call(
            models.Import,
            "POST",
            "/v1/imports/{import_id}/run",
            parts={"import_id": import_id},
            body=body,
        )

    async def replay_import(self, import_id: UUID) -> models.Import:
        """Publish an import that is done again, once what was refused is repaired (a meter is
        registered, a limit raised); what is stored already changes nothing.
        """
        return await self._call(
            models.Import, "POST", "/v1/imports/{import_id}/replay", parts={"import_id": import_id}
        )

    async def undo_import(self, import_id: UUID) -> models.Import:
        """Withdraw all that an import that is done has brought: what was known before it is
        known again, and usage, periods and bills follow. It can be run again afterwards.
        """
        return await self._call(
            models.Import, "POST", "/v1/imports/{import_id}/undo", parts={"import_id": import_id}
        )

    async def get_meter(self, meter_id: UUID) -> models.Meter:
        """The meter, as it was registered."""
        return await self._call(
            models.Meter, "GET", "/v1/meters/{meter_id}", parts={"meter_id": meter_id}
        )

    async def get_series(
        self,
        meter_id: UUID,
        *,
        flow: Literal[
            "import", "export", "load", "generation", "reactive_import", "reactive_export"
        ],
        from_: datetime | date,
        to: datetime | date,
        resolution: Literal["native", "15", "30", "60", "1440", "month"] | None = None,
        as_known_at: datetime | None = None,
    ) -> models.Series:
        """Energy per interval, `from` up to, but without, `to`: instants, or local dates.

        Coarser resolutions are exact sums over whole intervals of the local day or month,
        from the one in which `from` lies. `as_known_at` answers from what had been received
        by then.
        """
        return await self._call(
            models.Series,
            "GET",
            "/v1/meters/{meter_id}/series",
            parts={"meter_id": meter_id},
            query={
                "flow": flow,
                "from": from_,
                "to": to,
                "resolution": resolution,
                "as_known_at": as_known_at,
            },
        )

    async def get_completeness(
        self, meter_id: UUID, *, from_: date, to: date
    ) -> models.Completeness:
        """How much of each local day is there."""
        return await self._call(
            models.Completeness,
            "GET",
            "/v1/meters/{meter_id}/completeness",
            parts={"meter_id": meter_id},
            query={"from": from_, "to": to},
        )

    async def get_register_sums(
        self,
        meter_id: UUID,
        *,
        flow: Literal[
            "import", "export", "load", "generation", "reactive_import", "reactive_export"
        ],
        from_: date,
        to: date,
    ) -> models.RegisterSums:
        """What the register counted between its readings, and the sum of the intervals, from the
        last reading before the local days to the first after them. The rule `register_sum`
        flags what differs; this says the same whether it is on or off. For at most 10 000
        readings.
        """
        return await self._call(
            models.RegisterSums,
            "GET",
            "/v1/meters/{meter_id}/register-sums",
            parts={"meter_id": meter_id},
            query={"flow": flow, "from": from_, "to": to},
        )

    async def query_series(self, body: models.SeriesQuery) -> models.SeriesRow:
        """The series of many meters: NDJSON, or Arrow's IPC stream where `Accept` asks for that.

        A batch of channels is in memory at a time, each read as it is at that moment; name
        `as_known_at` where all must be of one moment.
        """
        return await self._call(models.SeriesRow, "POST", "/v1/series/query", body=body)

    def query_series_as(
        self,
        body: models.SeriesQuery,
        accept: Literal["application/x-ndjson", "application/vnd.apache.arrow.stream"],
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """The series of many meters: NDJSON, or Arrow's IPC stream where `Accept` asks for that.

        A batch of channels is in memory at a time, each read as it is at that moment; name
        `as_known_at` where all must be of one moment.
        """
        return self._download("POST", "/v1/series/query", body=body, accept=accept)

    def export_series(
        self,
        body: models.ChannelSelection,
        *,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """Every interval of many meters as a file, a row each, streamed: by meter, flow and
        time.

        Of a local day that has anything all intervals are there, those without a value with
        an empty energy; a day that has nothing has no row. NDJSON, with an array for each
        channel, is what `/v1/series/query` answers.
        """
        return self._download("POST", "/v1/series/export", query={"format": format}, body=body)

    async def query_completeness(
        self, body: models.ChannelSelection
    ) -> models.PortfolioCompleteness:
        """How many intervals each local day of many meters has, and should have."""
        return await self._call(
            models.PortfolioCompleteness, "POST", "/v1/series/completeness", body=body
        )

    def list_periods(
        self,
        *,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        state: Literal["open", "closed", "cancelled"] | None = None,
        ended_by: date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Period]:
        """Periods by agreement and first day. `state=open` with today as `ended_by`: what is
        late.
        """
        return self._pages(
            models.PageOfPeriod,
            "GET",
            "/v1/periods",
            query={
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "state": state,
                "ended_by": ended_by,
                "limit": limit,
            },
        )

    async def close_period(self, agreement_id: UUID, start_on: date) -> models.Period:
        """Close an ended period now, with what is there; 409 when it is closed already and has
        lost no value since.
        """
        return await self._call(
            models.Period,
            "POST",
            "/v1/agreements/{agreement_id}/periods/{start_on}/close",
            parts={"agreement_id": agreement_id, "start_on": start_on},
        )

    def list_quarantine(
        self,
        *,
        meter_id: UUID | None = None,
        replayed: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.QuarantinedBlock]:
        """Refused blocks, oldest first; those that were replayed only with `replayed=true`."""
        return self._pages(
            models.PageOfQuarantinedBlock,
            "GET",
            "/v1/quarantine",
            query={"meter_id": meter_id, "replayed": replayed, "limit": limit},
        )

    async def replay_block(self, quarantine_id: UUID) -> models.ReplayedBlock:
        """Check the block again and store it; 409 when it is refused again."""
        return await self._call(
            models.ReplayedBlock,
            "POST",
            "/v1/quarantine/{quarantine_id}/replay",
            parts={"quarantine_id": quarantine_id},
        )

    def list_pending_meters(
        self, *, limit: int | None = None
    ) -> AsyncIterator[models.PendingMeter]:
        """Meters that are not known yet and that have pending blocks, by id."""
        return self._pages(
            models.PageOfPendingMeter, "GET", "/v1/pending-blocks", query={"limit": limit}
        )

    def list_register_exceptions(
        self, *, meter_id: UUID | None = None, limit: int | None = None
    ) -> AsyncIterator[models.RegisterException]:
        """Where two readings of a register make no energy, by meter, flow and moment.

        Correct or withdraw the wrong reading in the ledger, and the exception leaves this
        list.
        """
        return self._pages(
            models.PageOfRegisterException,
            "GET",
            "/v1/register-exceptions",
            query={"meter_id": meter_id, "limit": limit},
        )

    async def get_validation_rules(self) -> models.ValidationRules:
        """The rules that there are, and which of them the tenant has on."""
        return await self._call(models.ValidationRules, "GET", "/v1/validation-rules")

    async def put_validation_rules(
        self, body: models.NewValidationRules, *, if_match: int | str | None = None
    ) -> models.ValidationRules:
        """Replace the tenant's rules. They count for what comes from now on; verdicts of rules
        that are on no more are cleared.
        """
        return await self._call(
            models.ValidationRules, "PUT", "/v1/validation-rules", body=body, if_match=if_match
        )

    def list_validation_verdicts(
        self,
        *,
        meter_id: UUID | None = None,
        rule: Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | None = None,
        from_: date | None = None,
        to: date | None = None,
        cleared: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.ValidationVerdict]:
        """What rules say of stored days, by day; with `cleared=true` also what holds no more.

        Blocks that a rule has quarantined are in `/v1/quarantine`.
        """
        return self._pages(
            models.PageOfValidationVerdict,
            "GET",
            "/v1/validation-verdicts",
            query={
                "meter_id": meter_id,
                "rule": rule,
                "from": from_,
                "to": to,
                "cleared": cleared,
                "limit": limit,
            },
        )

    async def submit_device_events(
        self, body: models.NewDeviceEvents | models.NewDeviceEvent
    ) -> models.IntakeResult:
        """Take in events of devices: `{"items": […]}`, or a single one.

        202 once the broker has acknowledged what was accepted; 422 when nothing was. The same
        event again, by its id or by meter, kind and instant, changes nothing.
        """
        return await self._call(models.IntakeResult, "POST", "/v1/device-events", body=body)

    def list_device_events(
        self,
        *,
        meter_id: UUID | None = None,
        kind: Literal[
            "meter_cover_opened",
            "meter_cover_closed",
            "terminal_cover_opened",
            "terminal_cover_closed",
            "magnetic_field_detected",
            "magnetic_field_ended",
            "reverse_run_detected",
            "reverse_run_ended",
            "current_bypass_detected",
            "access_refused",
            "replay_attack",
            "power_outage",
            "power_restored",
            "phase_missing",
            "undervoltage",
            "overvoltage",
            "clock_set",
            "clock_invalid",
            "battery_low",
            "battery_replaced",
            "memory_error",
            "measurement_error",
            "watchdog_reset",
            "firmware_changed",
            "parameters_changed",
            "disconnected",
            "reconnected",
        ]
        | None = None,
        severity: Literal["tamper", "warning", "info"] | None = None,
        from_: datetime | None = None,
        to: datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.DeviceEvent]:
        """What meters noted of themselves, the newest first."""
        return self._pages(
            models.PageOfDeviceEvent,
            "GET",
            "/v1/device-events",
            query={
                "meter_id": meter_id,
                "kind": kind,
                "severity": severity,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    async def get_alert_rules(self) -> models.AlertRules:
        """The kinds of alerts that there are, and which of them the tenant has on."""
        return await self._call(models.AlertRules, "GET", "/v1/alert-rules")

    async def put_alert_rules(
        self, body: models.NewAlertRules, *, if_match: int | str | None = None
    ) -> models.AlertRules:
        """Replace the tenant's rules for alerts. All meters are looked at by them; alerts of
        kinds that are on no more are cleared.
        """
        return await self._call(
            models.AlertRules, "PUT", "/v1/alert-rules", body=body, if_match=if_match
        )

    def list_alerts(
        self,
        *,
        state: Literal["open", "cleared", "all"] | None = None,
        kind: Literal[
            "missing_readings",
            "dead_meter",
            "stuck_meter",
            "unusual_use",
            "back_feed",
            "clock_drift",
            "conservation",
            "tamper",
        ]
        | None = None,
        meter_id: UUID | None = None,
        since: datetime | None = None,
        acknowledged: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Alert]:
        """Alerts, the newest first."""
        return self._pages(
            models.PageOfAlert,
            "GET",
            "/v1/alerts",
            query={
                "state": state,
                "kind": kind,
                "meter_id": meter_id,
                "since": since,
                "acknowledged": acknowledged,
                "limit": limit,
            },
        )

    async def get_alert(self, alert_id: UUID) -> models.Alert:
        """An alert."""
        return await self._call(
            models.Alert, "GET", "/v1/alerts/{alert_id}", parts={"alert_id": alert_id}
        )

    async def acknowledge_alert(self, alert_id: UUID, body: models.Acknowledgement) -> None:
        """Say that somebody has seen the alert, with a note. It stays open until it ends."""
        await self._do(
            "POST", "/v1/alerts/{alert_id}/acknowledge", parts={"alert_id": alert_id}, body=body
        )

    async def get_estimation_settings(self) -> models.EstimationSettings:
        """How the tenant estimates."""
        return await self._call(models.EstimationSettings, "GET", "/v1/estimation-settings")

    async def put_estimation_settings(
        self, body: models.NewEstimationSettings, *, if_match: int | str | None = None
    ) -> models.EstimationSettings:
        """Estimate otherwise from now on; what was estimated stays."""
        return await self._call(
            models.EstimationSettings,
            "PUT",
            "/v1/estimation-settings",
            body=body,
            if_match=if_match,
        )

    def list_estimates(
        self,
        *,
        meter_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.EstimatedDay]:
        """What was estimated, by day: values, methods, and what actual values changed since."""
        return self._pages(
            models.PageOfEstimatedDay,
            "GET",
            "/v1/estimates",
            query={"meter_id": meter_id, "from": from_, "to": to, "limit": limit},
        )

    def list_estimate_accuracy(
        self, *, meter_id: UUID | None = None, limit: int | None = None
    ) -> AsyncIterator[models.MethodAccuracy]:
        """How far estimates were off, by meter and method, where actual values came later."""
        return self._pages(
            models.PageOfMethodAccuracy,
            "GET",
            "/v1/estimates/accuracy",
            query={"meter_id": meter_id, "limit": limit},
        )

    async def reconcile(self) -> models.Reconciliation:
        """Whether received = stored + duplicates + quarantined + pending + dropped, and the
        tables agree.
        """
        return await self._call(models.Reconciliation, "GET", "/v1/reconciliation")

    async def get_archive_settings(self) -> models.ArchiveSettings:
        """How long the tenant's readings stay in the database."""
        return await self._call(models.ArchiveSettings, "GET", "/v1/archive-settings")

    async def put_archive_settings(
        self, body: models.NewArchiveSettings, *, if_match: int | str | None = None
    ) -> models.ArchiveSettings:
        """Archive months from some age on. Answers stay the same, series, exports and what was
        known at an instant included; 409 where the installation has no archive.
        """
        return await self._call(
            models.ArchiveSettings, "PUT", "/v1/archive-settings", body=body, if_match=if_match
        )

    def list_archived_shards(
        self, *, limit: int | None = None
    ) -> AsyncIterator[models.ArchivedShard]:
        """What has left the database, oldest month first: the files with their counts and
        SHA-256.
        """
        return self._pages(
            models.PageOfArchivedShard, "GET", "/v1/archived-shards", query={"limit": limit}
        )

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
