"""What was measured of choices between kernels, beside the tuning logs proper."""
