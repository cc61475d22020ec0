"""What simulation's OpenAPI document says beside its routers: areas and problem codes."""

from gridtally.http.openapi import ApiDescription

_RUN, _POLICY = ("run_unknown",), ("policy_unknown",)
_POLICIES = ("invalid_policy", "invalid_tariff")
_COMPARISON, _NOT_COMPLETED = ("comparison_unknown",), ("comparison_not_completed",)
_COMPARED = (*_POLICIES, "invalid_shift")
_START = (
    "unknown_node",
    "no_houses",
    "profile_incomplete",
    "invalid_tariff",
    "service_token_unset",
    "source_refused",
    "prices_missing",
)

DESCRIPTION = ApiDescription(
    areas={
        "simulation runs": "Houses, a billing month and a policy: creating, starting, cancelling",
        "house bills": "What each house of a complete run would pay, and what all pay together",
        "profiles": "What was generated for the houses of a run, as files",
        "simulation comparisons": "Several policies and tariffs over the same houses and months",
        "comparison results": "What each scenario of a complete comparison brings, who gains and "
        "loses",
        "simulation policies": "Policies under a name, and the tariffs that they stand for",
        "house profiles": "Where a house stands, what it uses and what its panels are",
    },
    problems={
        "create_simulation_run": {
            404: _POLICY,
            409: ("run_exists",),
            422: _POLICIES,
        },
        "get_simulation_run": {404: _RUN},
        "replace_simulation_run": {
            404: (*_RUN, *_POLICY),
            409: ("run_not_pending",),
            422: _POLICIES,
        },
        "change_simulation_run": {
            404: (*_RUN, *_POLICY),
            409: ("run_not_pending",),
            422: _POLICIES,
        },
        "delete_simulation_run": {404: _RUN, 409: ("run_running",)},
        "start_simulation_run": {
            404: (*_RUN, "version_unknown"),
            409: ("run_not_pending",),
            422: _START,
        },
        "cancel_simulation_run": {404: _RUN, 409: ("run_over",)},
        "copy_simulation_run": {404: _RUN},
        "list_house_bills": {404: _RUN},
        "get_house_bill": {404: (*_RUN, "house_unknown")},
        "get_house_bill_totals": {404: _RUN},
        "export_house_bills": {404: _RUN, 503: ("too_many_exports",)},
        "get_house_profile_file": {
            404: (*_RUN, "house_unknown"),
            409: ("run_not_started", "not_generated"),
        },
        "export_profiles": {
            404: _RUN,
            409: ("run_not_started", "not_generated"),
            503: ("too_many_exports",),
        },
        "create_simulation_comparison": {404: _POLICY, 409: ("run_exists",), 422: _COMPARED},
        "get_simulation_comparison": {404: _COMPARISON},
        "replace_simulation_comparison": {
            404: (*_COMPARISON, *_POLICY),
            409: ("run_not_pending",),
            422: _COMPARED,
        },
        "delete_simulation_comparison": {404: _COMPARISON, 409: ("run_running",)},
        "start_simulation_comparison": {
            404: (*_COMPARISON, "version_unknown"),
            409: ("run_not_pending",),
            422: (*_START, "compare_currencies", "shift_unpriced"),
        },
        "cancel_simulation_comparison": {404: _COMPARISON, 409: ("run_over",)},
        "repeat_simulation_comparison": {404: _COMPARISON, 409: _NOT_COMPLETED},
        "get_comparison_results": {404: _COMPARISON},
        "list_compared_houses": {404: _COMPARISON},
        "export_compared_houses": {
            404: _COMPARISON,
            409: _NOT_COMPLETED,
            503: ("too_many_exports",),
        },
        "export_scenario_revenue": {
            404: _COMPARISON,
            409: _NOT_COMPLETED,
            503: ("too_many_exports",),
        },
        "create_simulation_policy": {409: ("policy_exists",), 422: _POLICIES},
        "get_simulation_policy": {404: _POLICY},
        "replace_simulation_policy": {404: _POLICY, 422: _POLICIES},
        "change_simulation_policy": {404: _POLICY, 422: _POLICIES},
        "delete_simulation_policy": {404: _POLICY},
        "get_house_profile": {404: ("house_profile_unknown",)},
        "replace_house_profile": {404: ("house_unknown",)},
        "delete_house_profile": {404: ("house_profile_unknown",)},
    },
    located={
        "create_simulation_run",
        "create_simulation_policy",
        "copy_simulation_run",
        "create_simulation_comparison",
        "repeat_simulation_comparison",
    },
)
