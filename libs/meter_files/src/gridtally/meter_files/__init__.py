"""Files of meter readings, in the layouts of real metering, as whole Wh by UTC minute."""
