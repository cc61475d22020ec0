"""The tiny application that is served."""

from shop import app, body_bytes_max, rows_ended

__all__ = ["app", "body_bytes_max", "rows_ended"]
