"""One module for each group of commands; heavy parts are imported when a command runs."""
