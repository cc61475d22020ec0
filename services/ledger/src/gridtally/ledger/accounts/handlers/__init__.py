"""What is done at a command or an event of the accounts: load, decide, save and emit."""
