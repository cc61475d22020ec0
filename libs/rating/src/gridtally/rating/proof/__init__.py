"""Proofs: all that an invoice was computed from, to be verified without a server."""
