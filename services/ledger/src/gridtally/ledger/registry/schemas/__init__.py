"""The bodies of the registry's requests and answers. Requests refuse fields they do not know."""
