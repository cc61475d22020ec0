"""The tiny application whose edge is tried."""

from shop import app, body_bytes_max, client, headers, rows_ended

__all__ = ["app", "body_bytes_max", "client", "headers", "rows_ended"]
