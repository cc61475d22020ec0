"""SQL on one side, the domain's values on the other. Every statement names its tenant."""
