"""SQL to domain values and back; nothing here decides or commits.

What the API reads names its tenant in every statement, so that indexes serve it; row-level security
is the net. What workers read is of all tenants.
"""
