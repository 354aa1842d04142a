"""``python -m mobilenet_tvm.model.quantise``: the process that quantises, and has the libraries for it."""

from __future__ import annotations

from mobilenet_tvm.base import protocol  # first: it blocks imports
from mobilenet_tvm.model.quantise.job import QuantiseJob
from mobilenet_tvm.model.quantise.quantise import quantise_file

if __name__ == "__main__":
    protocol.serve({QuantiseJob: quantise_file})
