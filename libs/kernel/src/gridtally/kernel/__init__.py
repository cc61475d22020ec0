"""Money, energy, time and identifiers: the vocabulary of Gridtally."""
