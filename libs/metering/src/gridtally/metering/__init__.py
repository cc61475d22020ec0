"""Registers of meters: dials, rollover, and the energy between two of their readings."""
