"""Whether what ``compile`` made computes what its ONNX file says, found out before it is put in its place."""
