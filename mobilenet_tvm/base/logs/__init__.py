"""Tuning logs: the best schedule of each layer, and choices between kernels."""
