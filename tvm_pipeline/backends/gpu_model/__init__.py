"""A static model of a GPU: what a scheduled kernel asks of it, and how long it might take (docs/gpu_model.md)."""
