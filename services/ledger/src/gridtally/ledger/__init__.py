"""Properties, meters and users; double-entry accounts."""
