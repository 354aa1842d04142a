"""An ONNX file -> Relax."""
