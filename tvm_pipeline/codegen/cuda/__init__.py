"""NVIDIA GPUs: TVM's CUDA runtime without a driver, nvcc, and the device code that goes into a module."""
