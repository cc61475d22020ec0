"""Tamper evidence: the chain of sealed entries, its checkpoints and proofs."""
