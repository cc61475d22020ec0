"""The catalogue's HTTP API; it holds no rules, only their form in HTTP and JSON."""

from fastapi import APIRouter

from gridtally.http.openapi import ApiDescription
from gridtally.tariff.api import (
    calendar_versions,
    calendars,
    portal_tariffs,
    price_series,
    prices,
    quotes,
    regions,
    tariff_versions,
    tariffs,
)

ROUTERS: tuple[APIRouter, ...] = (
    *(
        module.router
        for module in (
            regions,
            tariffs,
            tariff_versions,
            portal_tariffs,
            calendars,
            calendar_versions,
            price_series,
            prices,
            quotes,
        )
    ),
    tariff_versions.by_id,
)

_REGION, _TARIFF, _CALENDAR = ("region_unknown",), ("tariff_unknown",), ("calendar_unknown",)
_SERIES = ("price_series_unknown",)
_TARIFF_VERSION = (*_TARIFF, "version_unknown")
_CALENDAR_VERSION = (*_CALENDAR, "version_unknown")
_WITHIN_REGION = ("unknown_region", "region_cycle", "region_depth")
_DRAFTED = ("empty_period", "foreign_document", "invalid_tariff")
_DAYS = ("distant_date", "empty_period", "long_period")
_RATED = (
    "coincident_peak_missing",
    "connected_kw_missing",
    "day_unknown",
    "edge_inside_interval",
    "edge_inside_window",
    "energy_out_of_range",
    "flow_missing",
    "intervals_too_coarse",
    "invalid_prices",
    "invalid_tariff",
    "invalid_usage",
    "negative_energy",
    "not_exact",
    "peak_set_missing",
    "prices_currency",
    "prices_missing",
    "prices_resolution",
    "rounding_resolution",
    "tariff_parts",
    "values_missing",
    *_DAYS,
)
_STATE = ("invalid_state", "state_kind", "state_mismatch")

API = ApiDescription(
    areas={
        "regions": "Municipalities and grid areas, and the tariffs in them",
        "tariffs": "What customers sign up for",
        "tariff versions": "What a tariff charges: drafts, what was published for good, and when",
        "calendars": "Which days are alike, and the versions of that",
        "prices": "Series of spot prices: uploading, correcting and reading them",
        "quotes": "What tariffs would charge a meter; nothing is stored",
    },
    located={
        "create_region",
        "create_tariff",
        "draft_tariff_version",
        "import_portal_tariff",
        "create_calendar",
        "draft_calendar_version",
        "create_price_series",
    },
    problems={
        "create_region": {409: ("code_taken", "region_exists"), 422: _WITHIN_REGION},
        "get_region": {404: _REGION},
        "list_tariffs_of_region": {404: _REGION},
        "change_region": {404: _REGION, 409: ("code_taken",), 422: _WITHIN_REGION},
        "delete_region": {404: _REGION, 409: ("in_use",)},
        "create_tariff": {409: ("code_taken", "tariff_exists"), 422: ("unknown_region",)},
        "get_tariff": {404: _TARIFF},
        "change_tariff": {404: _TARIFF, 422: ("unknown_region",)},
        "delete_tariff": {404: _TARIFF, 409: ("in_use",)},
        "draft_tariff_version": {404: _TARIFF, 409: ("version_exists",), 422: _DRAFTED},
        "import_portal_tariff": {
            404: _TARIFF,
            409: ("version_exists",),
            422: ("empty_period", "incomplete_portal_tariff", "invalid_portal_tariff"),
        },
        "validate_tariff_version": {404: _TARIFF},
        "list_tariff_versions": {404: _TARIFF},
        "get_tariff_version_in_force": {404: (*_TARIFF, "no_version_in_force")},
        "get_tariff_version_by_id": {404: ("version_unknown",)},
        "get_tariff_version": {404: ("version_unknown",)},
        "replace_tariff_draft": {
            404: _TARIFF_VERSION,
            409: ("version_immutable",),
            422: _DRAFTED,
        },
        "change_tariff_draft": {
            404: _TARIFF_VERSION,
            409: ("version_immutable",),
            422: _DRAFTED,
        },
        "delete_tariff_draft": {404: _TARIFF_VERSION, 409: ("version_immutable",)},
        "publish_tariff_version": {
            404: _TARIFF_VERSION,
            409: ("version_withdrawn",),
            412: ("version_moved",),
            422: ("foreign_document", "invalid_tariff"),
        },
        "withdraw_tariff_version": {
            404: _TARIFF_VERSION,
            409: ("version_unpublished", "version_withdrawn"),
            422: ("withdrawn_too_late",),
        },
        "create_calendar": {409: ("calendar_exists", "code_taken")},
        "get_calendar": {404: _CALENDAR},
        "list_calendar_days": {404: (*_CALENDAR_VERSION, "calendar_unpublished"), 422: _DAYS},
        "change_calendar": {404: _CALENDAR, 409: ("code_taken",)},
        "delete_calendar": {404: _CALENDAR, 409: ("in_use",)},
        "draft_calendar_version": {
            404: _CALENDAR,
            409: ("version_exists",),
            422: ("invalid_calendar",),
        },
        "list_calendar_versions": {404: _CALENDAR},
        "get_calendar_version": {404: _CALENDAR_VERSION},
        "replace_calendar_draft": {
            404: _CALENDAR_VERSION,
            409: ("version_immutable",),
            422: ("invalid_calendar",),
        },
        "delete_calendar_draft": {404: _CALENDAR_VERSION, 409: ("version_immutable",)},
        "publish_calendar_version": {404: _CALENDAR_VERSION, 412: ("version_moved",)},
        "create_price_series": {409: ("code_taken", "price_series_exists")},
        "get_price_series": {404: _SERIES},
        "change_price_series": {404: _SERIES},
        "delete_price_series": {404: _SERIES, 409: ("in_use",)},
        "upload_prices": {
            404: _SERIES,
            422: ("invalid_csv", "invalid_prices", "too_many_days", "too_many_prices"),
        },
        "list_prices": {404: _SERIES, 422: _DAYS},
        "list_price_versions": {404: _SERIES},
        "list_price_gaps": {404: _SERIES, 422: _DAYS},
        "quote_tariff": {404: (*_TARIFF_VERSION, *_SERIES), 422: (*_RATED, *_STATE)},
        "quote_tariff_version": {404: (*_TARIFF_VERSION, *_SERIES), 422: (*_RATED, *_STATE)},
        "compare_tariffs": {
            404: (*_TARIFF_VERSION, *_SERIES),
            422: (*_RATED, "compare_currencies", "duplicate_name"),
        },
    },
)
"""The areas of the API, and the problem codes that its operations answer with."""
