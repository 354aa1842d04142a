"""A float ONNX file -> one in eight bits (QDQ): calibrated on images, equalised, quantised after training."""
