"""Kernels of bytes that are written loop by loop."""
