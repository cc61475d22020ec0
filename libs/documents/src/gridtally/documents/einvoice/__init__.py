"""E-invoices: the invoice for programs, by EN 16931, as CII (Factur-X) and as UBL."""
