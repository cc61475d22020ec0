"""How things look as text and drawings: pure functions on what the services answer."""
