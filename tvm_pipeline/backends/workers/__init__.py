"""Warm processes that build and run kernels."""
