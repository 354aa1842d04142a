"""ONNX -> ONNX: what TVM's importer would misread is spelled in the one way that it reads right."""
