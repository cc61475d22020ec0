"""Metering: what registers showed, and the energy that follows from it."""
