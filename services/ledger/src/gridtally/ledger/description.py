"""What the OpenAPI document says of the ledger beside its routers: areas, problems by operation."""

from gridtally.http.openapi import ApiDescription

_PAYEE = ("payee_unknown",)
_MANDATE, _DEBITS = ("mandate_unknown",), ("direct_debits_unknown",)
_BUDGET = ("budget_plan_unknown",)
_PLAN = ("item_not_open", "invalid_instalments")
_PROPERTY, _METER, _USER = ("property_unknown",), ("meter_unknown",), ("user_unknown",)
_CHANGED_PROPERTY = {
    404: _PROPERTY,
    409: ("meter_in_use",),
    422: ("unknown_parent", "circular_tree"),
}
_CHANGED_METER = {404: _METER, 409: ("register_in_use",), 422: ("invalid_meter",)}
_WITHIN_USER = ("foreign_meter", "unknown_property")
_CHANGED_USER = {404: _USER, 409: ("email_taken",), 422: _WITHIN_USER}
_SHOWN = ("negative_value", "too_many_decimals", "beyond_register")
_VALUE = ("derived_meter", "register_unknown", "future_reading", "too_early", *_SHOWN)
_SUM = ("undefined", "input_removed", "no_register", "sum_too_deep", "sum_too_large")
_WINDOW = ("empty_window", "window_too_wide")
_PIECES = (*_WINDOW, "window_too_far")

DESCRIPTION = ApiDescription(
    areas={
        "properties": "Metered places, which form a tree, and the meters that come with them",
        "meters": "Meters, the intervals that they measure and the registers that they show",
        "users": "The people of a property, and the meter that each of them means",
        "readings": "Register readings: entered, corrected, withdrawn, and exchanges of meters",
        "analytics": "What meters counted and show, derived meters, and balances of energy",
        "exports": "Readings and consumption as files: CSV, Parquet and Excel",
        "accounts": "Accounts and their balances, statements, reports and reconciliation",
        "invoices": "Invoices and charges, and what of them is open",
        "transactions": "What was posted, and reversing it",
        "payments": "Payments, refunds, write-offs, adjustments, payment and budget plans, debits",
        "dunning": "Notices to customers about what is overdue: rules, runs, fees, stops",
        "payees": "Whom lines of invoices name, what each is owed, and settling it",
        "ledger": "The sealed chain of all entries: checkpoints, proofs and the export",
    },
    problems={
        "create_property": {
            409: ("property_exists",),
            422: ("unknown_parent", "circular_tree", "invalid_meter", "zone_missing"),
        },
        "create_properties": {
            409: ("property_exists",),
            422: (
                "unknown_parent",
                "circular_tree",
                "invalid_meter",
                "zone_missing",
                "duplicate_id",
            ),
        },
        "get_property": {404: _PROPERTY},
        "change_property": _CHANGED_PROPERTY,
        "replace_property": _CHANGED_PROPERTY,
        "delete_property": {404: _PROPERTY, 409: ("has_children", "meter_in_use", "meter_billed")},
        "list_meters_of_property": {404: _PROPERTY},
        "initialize_meters": {404: _PROPERTY},
        "add_meter": {
            404: _PROPERTY,
            409: ("meter_exists",),
            422: ("invalid_meter", "too_many_meters"),
        },
        "get_meter": {404: _METER},
        "change_meter": _CHANGED_METER,
        "replace_meter": _CHANGED_METER,
        "delete_meter": {404: _METER, 409: ("meter_in_use", "meter_billed")},
        "create_user": {409: ("user_exists", "email_taken"), 422: _WITHIN_USER},
        "get_user": {404: _USER},
        "change_user": _CHANGED_USER,
        "replace_user": _CHANGED_USER,
        "set_default_meter": {404: _USER, 422: ("foreign_meter",)},
        "delete_user": {404: _USER},
        "record_reading": {404: _METER, 409: ("reading_exists",), 422: _VALUE},
        "record_readings": {
            404: _PROPERTY,
            422: (*_VALUE, "foreign_meter", "meter_unnamed", "readings_refused", "reading_exists"),
        },
        "list_customer_registers": {404: ("customer_unknown",)},
        "submit_customer_readings": {
            404: ("customer_unknown", *_METER),
            409: ("reading_exists",),
            422: (
                *_SHOWN,
                "register_unknown",
                "register_repeated",
                "future_reading",
                "read_too_long_ago",
                "reading_contradicts",
                "reading_sent_too_often",
                "reading_unconfirmed",
            ),
        },
        "list_readings_of_meter": {404: _METER},
        "get_reading": {404: ("reading_unknown",)},
        "get_history": {404: ("reading_unknown",)},
        "change_reading": {
            404: ("reading_unknown",),
            409: ("reading_exists",),
            422: (*_VALUE, "exchange_moves_whole"),
        },
        "withdraw_reading": {404: ("reading_unknown",), 409: ("exchange_has_readings",)},
        "exchange_meter": {
            404: _METER,
            409: ("reading_exists", "readings_after_exchange"),
            422: _VALUE,
        },
        "get_current_readings": {404: _PROPERTY},
        "get_consumption": {404: _PROPERTY, 422: _WINDOW},
        "get_consumption_table": {404: _PROPERTY, 422: _PIECES},
        "export_consumption": {404: _PROPERTY, 422: _PIECES, 503: ("too_many_exports",)},
        "export_readings": {503: ("too_many_exports",)},
        "check_conservation": {404: _PROPERTY, 422: (*_WINDOW, "nothing_to_compare")},
        "get_stats": {404: (*_METER, "register_unknown"), 422: ("window_too_wide",)},
        "get_value": {404: (*_METER, "register_unknown"), 422: _SUM},
        "get_series": {404: (*_METER, "register_unknown"), 422: _PIECES},
        "define_meter": {
            404: _METER,
            422: ("not_derived", "invalid_terms", "circular_definition", "too_many_versions"),
        },
        "post_payments": {
            422: (
                "allocation_refused",
                "finer_than_currency",
                "id_taken",
                "future",
                "too_early",
                "balance_too_large",
                "payments_refused",
            ),
        },
        "post_opening_balances": {
            409: ("opening_balance_exists",),
            422: (
                "amount_missing",
                "customer_unknown",
                "due_refused",
                "finer_than_currency",
                "future",
                "too_early",
                "balance_too_large",
            ),
        },
        "post_payment_plan": {409: ("item_planned",), 422: _PLAN},
        "preview_payment_plan": {409: ("item_planned",), 422: _PLAN},
        "get_payment_plan": {404: ("payment_plan_unknown",)},
        "cancel_payment_plan": {404: ("payment_plan_unknown",), 409: ("plan_ended",)},
        "post_budget_plan": {
            409: ("budget_plan_overlaps", "customer_prepaid", "customer_merged"),
            422: ("invalid_budget_plan", "customer_unknown", "finer_than_currency"),
        },
        "get_budget_plan": {404: _BUDGET},
        "change_budget_amount": {
            404: _BUDGET,
            409: ("budget_plan_settled",),
            422: ("instalment_requested", "finer_than_currency"),
        },
        "end_budget_plan": {
            404: _BUDGET,
            409: ("budget_plan_settled",),
            422: ("invalid_budget_plan",),
        },
        "settle_budget_plan": {
            404: _BUDGET,
            409: ("budget_plan_settled", "budget_plan_running"),
        },
        "put_dunning_rules": {422: ("finer_than_currency",)},
        "get_dunning_stop": {404: ("dunning_stop_unknown",)},
        "put_dunning_stop": {404: ("customer_unknown",), 409: ("customer_merged",)},
        "delete_dunning_stop": {404: ("dunning_stop_unknown",)},
        "start_dunning_run": {
            409: ("dunning_rules_missing", "dunning_run_going"),
            422: ("dunning_day_refused",),
        },
        "preview_dunning_run": {422: ("dunning_day_refused",)},
        "get_dunning_run": {404: ("dunning_run_unknown",)},
        "get_dunning_notice": {404: ("dunning_notice_unknown",)},
        "get_dunning_notice_document": {
            404: ("dunning_notice_unknown",),
            422: ("seller_missing", "customer_unknown"),
        },
        "withdraw_dunning_notice": {
            404: ("dunning_notice_unknown",),
            409: ("dunning_notice_withdrawn", "dunning_notice_followed"),
        },
        "get_statement": {404: ("customer_unknown",), 422: (*_WINDOW, "seller_missing")},
        "get_mandate": {404: _MANDATE},
        "put_mandate": {
            404: ("customer_unknown",),
            409: ("mandate_used", "mandate_id_taken", "customer_merged"),
        },
        "revoke_mandate": {404: _MANDATE},
        "make_direct_debits": {422: ("creditor_missing", "collection_day_refused")},
        "get_direct_debits": {404: _DEBITS},
        "get_direct_debit_file": {
            404: _DEBITS,
            409: ("direct_debits_ended",),
            410: ("erased",),
            503: ("too_many_exports",),
        },
        "cancel_direct_debits": {404: _DEBITS, 409: ("direct_debits_ended",)},
        "get_payee_statement": {404: _PAYEE, 422: ("empty_window", "window_too_wide")},
        "list_payees": {422: ("empty_window",)},
        "settle_payee": {
            404: _PAYEE,
            422: ("more_than_owed", "finer_than_currency", "id_taken", "future", "too_early"),
        },
        "list_definitions": {404: _METER, 422: ("not_derived",)},
    },
    located={
        "create_property",
        "add_meter",
        "create_user",
        "post_payment",
        "post_deposit",
        "post_refund",
        "post_write_off",
        "post_adjustment",
        "post_allocation",
        "post_payment_plan",
        "post_budget_plan",
        "start_dunning_run",
        "make_direct_debits",
        "post_reversal",
        "settle_payee",
        "assign_unmatched_payment",
        "refund_unmatched_payment",
    },
)
