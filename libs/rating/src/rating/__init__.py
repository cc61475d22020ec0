"""The pure rating engine: tariff, calendar and usage in, charges out.

`document.tariff_version` reads a tariff, `usage.Usage` holds a series, `bill.rate` makes bills.
"""
