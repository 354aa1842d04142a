"""What cannot be compiled, told by operator and node, with what would be right: a file per reason."""
