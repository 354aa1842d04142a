"""An ONNX file of your own: compile it, check its numbers, time it. Usage: own_onnx.py [FILE.onnx]"""

import sys
import tempfile
from pathlib import Path

import mobilenet_tvm


def some_network(path: Path) -> Path:
    """Stands in for your file: a small network, straight from the zoo."""
    mobilenet_tvm.export("mobilenet_v1_0.25_128", path, weights="random")
    return path


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx = Path(arguments[0]) if arguments else some_network(folder / "network.onnx")
        # A file with a dynamic batch needs its shape too: shape={"input": [1, 3, 224, 224]}
        result = mobilenet_tvm.compile(str(onnx), target="native", output=folder / "package")
        print(f"compiled for {result['target']}: kernels {result['kernels']}")
        checked = mobilenet_tvm.verify(folder / "package", onnx=onnx)
        print(
            f"off by {checked['relative_err']:.1e} of the output's range: {'right' if checked['passed'] else 'WRONG'}"
        )
        for line in mobilenet_tvm.bench(folder / "package", repeat=20)["results"]:
            print(f"{line['threads']} thread(s): {line['median_ms']:.2f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
