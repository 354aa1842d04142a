"""CUDA source on standard input -> what the emulated GPU runs in place of its device code, on standard output.

``python -m emulated_gpu COMPUTE_CAPABILITY``, for processes that may not import this package.
"""

from __future__ import annotations

import sys

from emulated_gpu.build import compile_kernels, image


def main() -> None:
    """:raises SystemFailure: the source does not compile for the emulated GPU."""
    sys.stdout.buffer.write(image(compile_kernels(sys.stdin.read(), int(sys.argv[1]))))


if __name__ == "__main__":
    main()
