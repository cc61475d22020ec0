"""Charging: from a plan and a batch of usage to exact sums, lines and bills."""
