"""CUDA source on standard input -> what the emulated GPU runs in place of its device code, on standard output.

``python -m emulated_gpu COMPUTE_CAPABILITY``, for processes that may not import this package. A failure is one line on
standard error.
"""

from __future__ import annotations

import sys

from emulated_gpu.build import compile_kernels, image
from mobilenet_tvm.base.errors import SystemFailure

if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(image(compile_kernels(sys.stdin.read(), int(sys.argv[1]))))
    except SystemFailure as error:
        sys.exit(str(error))
