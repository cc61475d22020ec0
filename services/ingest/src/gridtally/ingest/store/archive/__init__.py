"""What has left the database for files, and how it is read, brought back and moved there."""
