"""Contracts to domain values and back, by the noun that they are about; nothing here decides.

Refuses, as Poison, what a contract allows and no period or day can be.
"""
