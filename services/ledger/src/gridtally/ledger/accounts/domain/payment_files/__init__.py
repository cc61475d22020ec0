"""Files of banks: the payments in them, and which invoices these are for."""
