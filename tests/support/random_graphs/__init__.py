"""Random small ONNX graphs: operators, attributes, opsets, shapes and dtypes as hypothesis draws them."""
