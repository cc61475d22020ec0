"""What is done at a command or an event of the audit chain: load, decide, save and emit."""
