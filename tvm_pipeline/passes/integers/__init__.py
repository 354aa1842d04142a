"""Quantised networks: what their layers compute in whole numbers, and what is only said in floating point."""
