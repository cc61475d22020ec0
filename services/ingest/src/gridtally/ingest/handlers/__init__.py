"""What ingest does, one file per noun: load, decide, save and emit in one transaction."""
