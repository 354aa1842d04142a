"""Scheduled kernels -> a module."""
