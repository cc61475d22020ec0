"""Which fields of API models hold decimals: texts that OpenAPI names by their format."""

DECIMALS = frozenset(
    {
        "above", "account_difference_max", "allocated", "amount", "amount_due", "amount_exact",
        "arrears", "at_least", "at_most", "balance", "brought_forward", "cap", "charged",
        "connected_kw", "credit_notes_total", "credited", "credits", "days_0_30", "days_31_60",
        "days_61_90", "days_over_90", "debits", "difference", "difference_max", "end_value",
        "excess_rate", "export_payable", "export_rate", "final_value", "floor", "gross",
        "import_rate", "initial_value", "invoiced_total", "invoices_total", "issued_total",
        "item_difference_max", "kw", "kw_step", "kwh", "lines_total", "live_total", "markup", "max",
        "max_amount", "max_amount_per_month", "max_kwh", "max_kwh_per_month", "mean", "metered_kwh",
        "min", "minimum_kw", "multiplier", "net", "not_due", "open", "opened", "opening", "overdue",
        "peak_kw", "postings_sum", "prepaid", "quantity", "ratchet_percent", "rate", "receivable",
        "start_value", "supplied_kwh", "surplus_rate", "tax", "total", "true_up_rate",
        "unaccounted_kwh", "unaccounted_percent", "unmatched", "value",
    }
)  # fmt: skip
"""Names whose texts are decimals."""
