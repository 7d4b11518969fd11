"""What follows what: frequent sequences, and the category that comes next."""
