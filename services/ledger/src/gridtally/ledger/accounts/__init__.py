"""Double-entry accounts: invoices, payments and what customers owe."""
