"""What runs, policies and house bills are. Pure: no I/O, no clock."""
