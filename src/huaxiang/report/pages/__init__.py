"""One module per page: what it says, taken from the build's tables."""
