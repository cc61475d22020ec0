"""Customers, agreements, invoices and daily costs."""
