"""The pure rating engine: tariff, calendar and usage in, bills out.

`document.tariff_version` reads a tariff, `usage.Usage` holds a series, `engine.bill.rate` makes
bills. The README has the map: which file does what.
"""
