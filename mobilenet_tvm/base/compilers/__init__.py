"""The compilers that come from PyPI or the system: ziglang's clang, NVIDIA's nvcc."""
