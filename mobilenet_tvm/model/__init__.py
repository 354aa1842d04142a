"""MODEL -> a checked ONNX file."""
