"""Where a package runs; a new place is one file."""
