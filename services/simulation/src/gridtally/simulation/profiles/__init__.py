"""Generated profiles: what a house uses, and what its panels make, quarter of an hour by quarter.

Models are computed in floats; what leaves here is whole Wh. Pure: the same inputs give the same
profile for ever.
"""
