"""Compiling a tariff: from its components to the plan of one period, resolution and time zone."""
