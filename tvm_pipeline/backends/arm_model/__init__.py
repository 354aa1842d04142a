"""What a kernel would cost on an ARM core that is not here: run under QEMU, judged by llvm-mca and a cache model."""
