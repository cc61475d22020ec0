"""Owns the local servers and services: PostgreSQL, a broker, and the processes of ours.

Refuses: a third service manager, containers, and anything that listens beyond loopback.
"""
