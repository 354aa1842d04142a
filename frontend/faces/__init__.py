"""The weights of a MobileNetV1 that finds faces, and how they are fetched (``python -m frontend.faces``)."""
