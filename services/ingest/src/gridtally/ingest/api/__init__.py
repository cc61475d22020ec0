"""Ingest over HTTP: intake, reading back, periods, and what could not be stored or used."""

from gridtally.http.openapi import ApiDescription
from gridtally.ingest.api import (
    bulk_series,
    completeness,
    estimates,
    exports,
    imports,
    live_readings,
    meters,
    pending_blocks,
    periods,
    quarantine,
    readings,
    reconciliation,
    register_exceptions,
    validation_rules,
    verdicts,
)

ROUTERS = (
    readings.router,
    live_readings.router,
    imports.router,
    meters.router,
    bulk_series.router,
    exports.router,
    completeness.router,
    periods.router,
    quarantine.router,
    pending_blocks.router,
    register_exceptions.router,
    validation_rules.router,
    verdicts.router,
    estimates.router,
    reconciliation.router,
)
API = ApiDescription(
    areas={
        "readings": "Taking in blocks of interval readings",
        "imports": "Files of readings: what they seem to be, checking, importing, replaying",
        "meters": "Meters as ingest knows them, their interval series and completeness",
        "series": "The series of many meters in one request, streamed",
        "periods": "Billing periods: open and closed ones, and closing one by hand",
        "quarantine": "Blocks that were refused, with reasons, and replaying them",
        "pending blocks": "Blocks that are pending until their meter is registered",
        "register exceptions": "Register readings that contradict each other and make no energy",
        "validation rules": "Rules for readings that are odd, and what they say of stored days",
        "estimates": "What was estimated of periods, by which method, and how far off it was",
        "reconciliation": "What was counted on the way in against what lies in the tables",
    },
    located=("create_import",),
    problems={
        "submit_readings": {422: ("invalid_items", "nothing_accepted", "nul_character")},
        "stream_readings": {404: ("meter_unknown",), 503: ("too_many_streams",)},
        "create_import": {422: ("file_unreadable",)},
        "get_import": {404: ("import_unknown",)},
        "check_import": {
            404: ("import_unknown",),
            422: ("file_unreadable", "channels_unmapped"),
        },
        "run_import": {
            404: ("import_unknown",),
            409: ("import_at_work", "import_done"),
            422: ("file_unreadable", "channels_unmapped"),
        },
        "undo_import": {404: ("import_unknown",), 409: ("import_not_done",)},
        "replay_import": {404: ("import_unknown",), 409: ("import_not_done",)},
        "get_meter": {404: ("meter_unknown",)},
        "get_series": {
            404: ("meter_unknown", "flow_unknown"),
            422: ("empty_window", "window", "resolution_too_fine", "derived_meter"),
        },
        "query_series": {
            404: ("meter_unknown",),
            406: ("not_acceptable",),
            422: ("resolution_too_fine", "derived_meter"),
            503: ("too_many_exports",),
        },
        "export_series": {404: ("meter_unknown",), 503: ("too_many_exports",)},
        "query_completeness": {404: ("meter_unknown",), 422: ("window",)},
        "get_completeness": {404: ("meter_unknown",), 422: ("window",)},
        "close_period": {
            404: ("period_unknown",),
            409: ("period_closed",),
            422: ("period_not_ended",),
        },
        "replay_block": {
            404: ("quarantine_unknown",),
            409: ("already_replayed", "still_refused"),
        },
    },
)
