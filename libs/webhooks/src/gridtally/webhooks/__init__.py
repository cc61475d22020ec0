"""Signed webhooks: signatures, and requests to addresses that others choose."""
