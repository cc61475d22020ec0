"""What a file is, and the rows of a table in it: nothing skipped, nothing guessed."""
