"""ONNX operators whose conversion is this project's own: a file per operator or family, joined in ``table.py``."""
