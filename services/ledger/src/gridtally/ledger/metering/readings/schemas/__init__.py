"""The bodies of requests and answers about readings: kWh as decimal strings."""
