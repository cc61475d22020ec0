"""The demonstration: a portfolio of homes, from their meters' gateway to a balanced ledger."""
