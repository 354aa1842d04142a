"""A GPU that is none: ``libcuda.so.1`` and ``libcudart.so.13`` that run a package's CUDA source on the CPU.

``ptx.py`` and ``translate.py`` make C++ of the source, ``device/`` holds what CUDA's compiler knows by itself,
``runtime/`` the libraries: threads, memory, checks and counters. Nothing of NVIDIA's is needed.
"""
