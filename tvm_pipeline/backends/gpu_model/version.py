"""Which model it is that spoke."""

MODEL_VERSION = 1
"""Raised with every change of what the model says: older modelled records are then no rivals for new ones."""
