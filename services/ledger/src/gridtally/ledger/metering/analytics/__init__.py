"""What meters counted and show: derived meters, consumption, series, statistics, balances."""
