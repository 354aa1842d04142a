"""Relax passes: one file per pass, joined in ``pipeline.py``."""
