"""This machine's clock."""
