"""Customers, agreements, invoices and cost rollups."""
