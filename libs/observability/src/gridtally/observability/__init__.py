"""Structured logs, metrics and health that measures progress."""
