"""The portal: what a customer sees of his own bills, usage and account, in his language.

Every page has a `PortalVisit`, whose requests are bound to the customer.
"""
