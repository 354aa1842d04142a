"""What tests of GPU code share: drivers without a GPU, kernels written by hand, kernels against the CPU."""
