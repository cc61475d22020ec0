"""Intake, validation, the readings store and the closing of periods."""
