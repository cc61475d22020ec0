"""The bodies of requests and answers about energy: kWh as decimal strings."""
