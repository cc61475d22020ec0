"""Ingest's store in memory, as far as periods need it, and what periods must do on either."""
