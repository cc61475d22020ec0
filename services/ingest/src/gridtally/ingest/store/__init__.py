"""SQL ↔ domain: the only place that knows ingest's tables."""
