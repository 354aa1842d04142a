"""An nn.Module of your own.

On the command line: mobilenet-tvm compile own_module.py:network --shape input:1x3x96x96 -o package
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import mobilenet_tvm

if TYPE_CHECKING:
    from torch import nn


def network() -> "nn.Module":
    """Any function that returns a module will do; it is called in a process that has torch."""
    import torch
    from torch import nn

    torch.manual_seed(0)

    def separable(channels: int, out: int, stride: int) -> nn.Sequential:
        depthwise = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        pointwise = nn.Conv2d(channels, out, 1, bias=False)
        return nn.Sequential(depthwise, nn.BatchNorm2d(channels), nn.ReLU(), pointwise, nn.BatchNorm2d(out), nn.ReLU())

    first = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
    blocks = [separable(16, 32, 1), separable(32, 64, 2), separable(64, 128, 2)]
    return nn.Sequential(first, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / "package"
        # shape: the input's name (the exporter calls it "input") and what the module takes
        mobilenet_tvm.compile(f"{Path(__file__).absolute()}:network", output=package, shape={"input": [1, 3, 96, 96]})
        checked = mobilenet_tvm.verify(package)
        print(
            f"off by {checked['relative_err']:.1e} of the output's range: {'right' if checked['passed'] else 'WRONG'}"
        )
        for kernel in mobilenet_tvm.inspect(package)["kernels"]:
            print(f"{kernel['record']:<8} {kernel['layer']}")


if __name__ == "__main__":
    main()
