"""What billing's OpenAPI document says beside its routers: areas and problem codes."""

from gridtally.http.openapi import ApiDescription

_NO_ENDPOINT = {404: ("webhook_endpoint_unknown",)}
_NO_DOCUMENT = ("seller_missing", "einvoice_incomplete", "einvoice_fine", "einvoice_taxes")
_CUSTOMER = ("customer_unknown",)
_NEW_CUSTOMER = {
    409: ("customer_exists", "customer_number_taken"),
    422: ("invalid_customer", "currency_missing", "country_missing"),
}
_CHANGED_CUSTOMER = {
    404: _CUSTOMER,
    409: ("customer_number_taken", "customer_erased", "customer_merged", "currency_in_use"),
    422: ("invalid_customer", "country_missing"),
}
_NEW_AGREEMENT = {
    409: ("agreement_exists", "agreement_overlap", "customer_erased", "customer_merged"),
    422: ("customer_missing", "read_cycle_unknown", "currency_differs"),
}
_REBILLING = {
    404: ("agreement_unknown",),
    409: ("agreement_overlap", "customer_erased", "customer_merged", "section_of_invoice"),
    422: (
        "agreement_ended",
        "invalid_agreement",
        "customer_missing",
        "meter_missing",
        "tariff_missing",
        "currency_differs",
        "read_cycle_unknown",
        "carried_state_lost",
        "too_many_invoices",
    ),
}
_MERGE = {
    404: _CUSTOMER,
    409: (
        "customer_merged",
        "customer_erased",
        "currencies_differ",
        "collective_invoices",
        "prepayment_running",
        "budget_plan_running",
    ),
    422: ("merged_into_itself", "customer_missing"),
}
_CALCULATION = {
    400: ("invalid_window",),
    404: ("customer_unknown", "tariff_version_unknown"),
    422: ("version_not_in_force", "calculation_too_large", "sum_ambiguous", "usage_impossible"),
}
_PREVIEW = {
    404: ("agreement_unknown",),
    422: (
        "agreement_not_begun",
        "agreement_ended",
        "no_usage_yet",
        "meter_missing",
        "tariff_missing",
        "currency_differs",
        "prices_missing",
        "previous_period_open",
        "usage_impossible",
    ),
}

DESCRIPTION = ApiDescription(
    areas={
        "customers": "Who pays, in which currency, and what is known of them",
        "agreements": "A customer's meter on a tariff from one local date to another",
        "rebillings": "Agreements that were wrong when they were billed, put right",
        "invoices": "What was issued for closed periods, what it rests on, and credit notes",
        "drafts": "Bills that wait for approval, where a tenant wants that",
        "billing runs": "Drafts of a month looked at and approved together, and what stands out",
        "collective invoices": "Invoices of several agreements that wait for their sections",
        "documents": "Invoices and credit notes as pages and PDFs, and the letterhead of both",
        "webhooks": "Endpoints that events are posted to, and what became of each message",
        "held periods": "Closed periods that cannot be billed yet, with their reasons",
        "daily costs": "What a meter's local days cost so far",
        "prepayment": "Who pays in advance, what is left of it, and how long it lasts",
        "fleet costs": "What the use of all of a customer's meters costs, hour by hour",
        "calculated bills": "What a customer's readings come to by one tariff version, stored",
        "previews": "What a bill will come to before it is issued, also with something else in it",
        "corrections": "What corrected readings would change, before they are sent",
        "reconciliation": "What was issued against lines, credit notes, numbers and periods",
    },
    problems={
        "create_customer": _NEW_CUSTOMER,
        "create_customers": _NEW_CUSTOMER,
        "get_customer": {404: _CUSTOMER},
        "change_customer": _CHANGED_CUSTOMER,
        "replace_customer": _CHANGED_CUSTOMER,
        "erase_customer": {404: _CUSTOMER, 409: ("agreement_in_force", "customer_merged")},
        "delete_customer": {404: _CUSTOMER, 409: ("in_use", "customer_merged")},
        "preview_merge": _MERGE,
        "merge_customer": _MERGE,
        "create_agreement": _NEW_AGREEMENT,
        "create_agreements": _NEW_AGREEMENT,
        "get_agreement": {404: ("agreement_unknown",)},
        "change_agreement": {
            404: ("agreement_unknown",),
            409: ("agreement_overlap", "already_invoiced", "period_closed"),
            422: ("invalid_agreement", "read_cycle_unknown"),
        },
        "delete_agreement": {404: ("agreement_unknown",), 409: ("agreement_billed",)},
        "preview_rebilling": _REBILLING,
        "create_rebilling": _REBILLING,
        "get_rebilling": {404: ("rebilling_unknown",)},
        "get_read_cycle": {404: ("read_cycle_unknown",)},
        "replace_read_cycle": {409: ("read_cycle_moved",)},
        "get_invoice": {404: ("invoice_unknown",)},
        "create_credit_note": {
            404: ("invoice_unknown",),
            409: ("invoice_void", "nothing_to_credit"),
            422: (
                "credit_exceeds_invoice",
                "line_unknown",
                "line_repeated",
                "line_not_creditable",
                "finer_than_currency",
                "evidence_incomplete",
            ),
        },
        "get_credit_note": {404: ("credit_note_unknown",)},
        "get_invoice_draft": {404: ("draft_unknown",)},
        "approve_invoice_draft": {404: ("draft_unknown",), 409: ("draft_issued",)},
        "reject_invoice_draft": {404: ("draft_unknown",), 409: ("draft_issued", "draft_approved")},
        "create_billing_run": {
            409: ("billing_run_exists", "approval_not_required"),
            422: ("invalid_billing_run",),
        },
        "get_billing_run": {404: ("billing_run_unknown",)},
        "list_run_findings": {404: ("billing_run_unknown",)},
        "approve_billing_run": {
            404: ("billing_run_unknown",),
            409: ("billing_run_changed", "billing_run_cancelled", "same_person"),
        },
        "cancel_billing_run": {404: ("billing_run_unknown",), 409: ("billing_run_approved",)},
        "get_evidence": {404: ("invoice_unknown",)},
        "explain_invoice": {
            404: ("invoice_unknown", "line_unknown"),
            422: ("evidence_incomplete",),
        },
        "recalculate_invoice": {404: ("invoice_unknown",), 422: ("evidence_incomplete",)},
        "get_invoice_document": {404: ("invoice_unknown",), 422: _NO_DOCUMENT},
        "get_credit_note_document": {404: ("credit_note_unknown",), 422: _NO_DOCUMENT},
        "export_invoice_documents": {422: _NO_DOCUMENT},
        "get_seller": {404: ("seller_missing",)},
        "replace_seller": {409: ("seller_moved",), 422: ("invalid_logo",)},
        "dismiss_held_period": {404: ("held_period_unknown",), 409: ("period_dismissed",)},
        "recall_held_period": {404: ("held_period_unknown",), 409: ("period_not_dismissed",)},
        "calculate_and_store_bill": _CALCULATION,
        "get_customer_bill": _CALCULATION
        | {422: (*_CALCULATION[422], "tariff_missing", "version_ambiguous")},
        "preview_bill": _PREVIEW,
        "preview_what_if": {
            400: ("invalid_window",),
            404: (*_PREVIEW[404], "tariff_version_unknown"),
            422: (*_PREVIEW[422], "readings_misfit"),
        },
        "preview_correction": {
            404: ("meter_unknown",),
            422: ("readings_misfit", "correction_too_large", "no_usage_yet", "usage_impossible"),
        },
        "get_correction_preview": {404: ("correction_preview_unknown",)},
        "create_webhook_endpoint": {
            409: ("webhook_endpoint_exists",),
            422: ("invalid_url", "webhooks_unset"),
        },
        "get_webhook_endpoint": _NO_ENDPOINT,
        "change_webhook_endpoint": _NO_ENDPOINT | {422: ("invalid_url",)},
        "delete_webhook_endpoint": _NO_ENDPOINT,
        "rotate_webhook_secret": _NO_ENDPOINT | {422: ("webhooks_unset",)},
        "test_webhook_endpoint": _NO_ENDPOINT,
        "replay_webhook_messages": _NO_ENDPOINT,
        "list_webhook_attempts": {404: ("webhook_message_unknown",)},
        "redeliver_webhook_message": {404: ("webhook_message_unknown",)},
        "get_prepayment": {404: ("prepayment_unknown",)},
        "put_prepayment": {
            404: _CUSTOMER,
            409: ("budget_plan_running", "customer_erased", "customer_merged"),
        },
        "delete_prepayment": {404: ("customer_unknown", "prepayment_unknown")},
        "list_drawn_days": {404: ("prepayment_unknown",), 422: ("invalid_window",)},
        "list_daily_costs": {422: ("invalid_window",)},
        **{
            operation: {400: ("invalid_window",), 404: ("customer_unknown",)}
            for operation in (
                "get_fleet_cost",
                "list_hours_without_tariff",
                "export_fleet_cost",
            )
        },
    },
    located={
        "create_customer",
        "create_agreement",
        "create_billing_run",
        "create_webhook_endpoint",
    },
)
