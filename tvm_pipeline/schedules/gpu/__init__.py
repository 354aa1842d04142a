"""Space generators for GPUs: what a thread block and each of its threads compute."""
