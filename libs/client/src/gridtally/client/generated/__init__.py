"""Generated from docs/openapi by `make docs`; not to be edited."""
