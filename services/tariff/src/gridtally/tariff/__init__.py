"""Regions, tariffs and their immutable versions."""
