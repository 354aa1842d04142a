"""PyTorch networks, their weights and their way into an ONNX file; the half of the house that imports torch, never tvm.

``python -m frontend`` answers one request of the front door (see ``__main__``). Importing this package loads nothing.
"""
