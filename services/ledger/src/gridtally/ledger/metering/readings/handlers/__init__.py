"""What is done at a command to the ledger of readings: load, decide, save and emit.

Whoever writes for a meter locks its row first, so what was checked stays true until the commit, and
the events of a meter leave in the order of its entries.
"""
