"""Invoices, credit notes and statements as HTML and PDF, in words and numbers by language."""
