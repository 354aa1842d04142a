"""Layers of bytes."""
