"""Stores in memory, so that handlers with many branches are tested without servers.

Each is held to the store whose place it takes: its functions have the same arguments, and one set
of scenarios runs on both (`tests/integration/<service>/test_<service>_double.py`).
"""
