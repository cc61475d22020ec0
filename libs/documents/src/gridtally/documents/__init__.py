"""Invoices and credit notes as documents: HTML, PDF and their words and numbers by language."""
