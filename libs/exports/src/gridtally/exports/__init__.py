"""Tables as files: CSV, Parquet and Excel."""
