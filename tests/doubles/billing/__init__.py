"""Billing's store in memory, and what becomes of closed periods on it and on PostgreSQL."""
