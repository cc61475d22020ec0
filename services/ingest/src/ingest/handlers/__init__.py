"""What ingest does, one file per deed: load, decide, save and emit in one transaction."""
