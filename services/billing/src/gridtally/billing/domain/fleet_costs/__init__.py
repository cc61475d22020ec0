"""Fleet cost: what the use of all of a customer's meters costs in a window, hour by hour.

Standing charges are not in it. Amounts are exact, never rounded, so that a window costs what its
parts do; they are those of `rating`, from the same prices as invoices.
"""
