"""The pure rating engine: tariff, calendar and usage in, charges out."""
