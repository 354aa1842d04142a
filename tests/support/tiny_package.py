"""A small package made the way that real ones are, and runs of the program on it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.native.runner_build import run_script, runner_binary

NETWORK = Path(__file__).with_name("tiny_network.py")
PREPROCESSING = Preprocessing(resize=36, crop=32)


@dataclass(frozen=True)
class Run:
    """What a run of the program left behind."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Package:
    """A package in a folder of its own that a test may damage."""

    folder: Path

    def run(self, *arguments: object, **environment: str) -> Run:
        return run_program(self.folder / "bin/mobilenet-run", self.folder, *arguments, **environment)

    @property
    def manifest(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return value

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        (self.folder / "manifest.json").write_text(json.dumps(manifest))

    def seal(self) -> None:
        """Makes the sums right for what the files are now."""
        manifest = self.manifest
        manifest["files"] = {name: sha256(self.folder / name) for name in manifest["files"]}
        self.write_manifest(manifest)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_program(program: Path, *arguments: object, **environment: str) -> Run:
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment or None, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


def make_package(folder: Path, batch: int) -> None:
    """A package of the tiny network, complete but for LICENSE and NOTICE."""
    subprocess.run([sys.executable, str(NETWORK), str(folder), str(batch)], check=True)
    (folder / "bin").mkdir()
    (folder / "lib").mkdir()
    shutil.copy(runner_binary(), folder / "bin/mobilenet-run")
    shutil.copy(package_folder("tvm") / "lib/libtvm_runtime.so", folder / "lib")
    shutil.copy(package_folder("tvm_ffi") / "lib/libtvm_ffi.so", folder / "lib")
    script = folder / "run.sh"
    script.write_text(run_script())
    script.chmod(0o755)
    files = [str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_file()]
    manifest = {
        "schema_version": 1,
        "model": {"name": "tiny", "onnx_sha256": "0" * 64, "weights": "random"},
        "target": {"name": "x86-64-v3", "arch": "x86_64", "cpu_features": ["avx2", "fma"], "tvm": {"kind": "llvm"}},
        "dtype": "float32",
        "threads": 1,
        "inputs": [{"name": "x", "shape": [batch, 3, 32, 32], "dtype": "float32"}],
        "outputs": [{"name": "y", "shape": [batch, 10], "dtype": "float32"}],
        "preprocessing": PREPROCESSING.to_json(),
        "labels": ['a "quoted" cat', "café", *(f"class {i} by name" for i in range(2, 10))],
        "versions": dict.fromkeys(("mobilenet_tvm", "tvm", "tvm_ffi", "llvm"), "0"),
        "kernels": [],
        "files": {name: sha256(folder / name) for name in files},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
