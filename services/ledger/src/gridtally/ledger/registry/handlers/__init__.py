"""What is done at a command or an event of the registry: load, decide, save and emit.

Every change locks the row of its property first, so that the events of a meter leave in order.
"""
