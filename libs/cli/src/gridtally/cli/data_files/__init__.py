"""Files of customers, properties, meters, agreements and readings, into an installation."""
