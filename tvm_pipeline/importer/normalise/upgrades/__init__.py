"""Nodes of old opsets as nodes of the newest: a file per kind of change."""
