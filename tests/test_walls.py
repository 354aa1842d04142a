"""Who may import whom: by reading the sources, and by running the halves with the other half's library out of reach.

The walls are three sentences. Everyone may import ``mobilenet_tvm.base``, and base imports nothing of ours. The halves
(``frontend``, ``tvm_pipeline``), ``targets`` and ``emulated_gpu`` import nothing else of ``mobilenet_tvm``, and it
nothing of the halves. There are no cycles. Imports inside functions count.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import targets
from mobilenet_tvm.base.answers import Exported
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Built
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.model import source as model_source

ROOT = Path(__file__).parents[1]
PACKAGES = ("emulated_gpu", "frontend", "mobilenet_tvm", "targets", "tuning_logs", "tvm_pipeline")
BASE = "mobilenet_tvm.base"
TORCH, TVM = {"torch", "torchvision"}, {"tvm", "tvm_ffi"}
MAY_NOT_IMPORT = {
    BASE: TORCH | TVM | set(PACKAGES) - {"mobilenet_tvm"},
    "mobilenet_tvm": {"frontend", "tvm_pipeline"},
    "frontend": TVM | {"tvm_pipeline", "targets", "emulated_gpu"},
    "tvm_pipeline": TORCH | {"frontend", "targets", "emulated_gpu"},
    "targets": TORCH | TVM | {"frontend", "tvm_pipeline", "emulated_gpu"},
    "emulated_gpu": TORCH | TVM | {"frontend", "tvm_pipeline", "targets"},
    "tuning_logs": TORCH | TVM | set(PACKAGES),
}
SLOW = {"numpy", "onnx", "onnxruntime", "openvino", "rich", "PIL", "platformdirs", "filelock", "jsonschema"}


def _sources(root: Path, package: str) -> dict[str, Path]:
    """The package's files by module name."""
    names = {}
    for path in sorted((root / package.replace(".", "/")).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def _imports(path: Path, *, in_functions: bool = True) -> Iterator[str]:
    """Every module that a file imports when it runs; with ``from a import b`` both ``a`` and ``a.b``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden: set[ast.AST] = set()
    for node in ast.walk(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        never_runs = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if never_runs or (is_function and not in_functions):
            hidden.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def through_walls(root: Path) -> set[tuple[str, str]]:
    """Imports that no module of theirs may have: who imports, and what."""
    found = set()
    for package, forbidden in MAY_NOT_IMPORT.items():
        for module, path in _sources(root, package).items():
            for name in _imports(path):
                upstairs = _is_in(name, "mobilenet_tvm") and name != "mobilenet_tvm" and not _is_in(name, BASE)
                if any(_is_in(name, one) for one in forbidden) or (upstairs and package != "mobilenet_tvm"):
                    found.add((module, name))
    return found


def cycle(root: Path) -> str | None:
    """The first circle of modules that need each other, as ``a -> b -> a``."""
    modules = {name: path for package in PACKAGES for name, path in _sources(root, package).items()}
    graph = {
        name: {found for found in _imports(path) if found in modules and found != name}
        for name, path in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> str | None:
        if name in trail:
            return " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for needed in sorted(graph[name]):
                # `from package import module` names the package too, whose __init__ may in turn name the module.
                if not name.startswith(needed + ".") and (found := visit(needed, (*trail, name))):
                    return found
            done.add(name)
        return None

    return next((found for name in graph if (found := visit(name, ()))), None)


def test_nothing_is_imported_through_a_wall() -> None:
    assert not through_walls(ROOT)


def test_no_cycles_between_modules() -> None:
    assert cycle(ROOT) is None


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, to plant imports in."""
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=lambda _, names: {n for n in names if n.endswith(".so")})
    return root


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("mobilenet_tvm/base/layer.py", "import targets"),
        ("mobilenet_tvm/base/layer.py", "from mobilenet_tvm.package import manifest"),
        ("tvm_pipeline/compile.py", "def _late():\n    from mobilenet_tvm.model import zoo"),
        ("frontend/export.py", "def _late():\n    import tvm"),
        ("mobilenet_tvm/verbs/compile.py", "def _late():\n    from tvm_pipeline.hardware import target"),
        ("targets/target.py", "from mobilenet_tvm import places"),
        ("emulated_gpu/build.py", "def _late():\n    import targets"),
    ],
)
def test_a_planted_import_is_found(copy: Path, module: str, planted: str) -> None:
    path = copy / module
    before = path.read_text()
    try:
        path.write_text(f"{before}\n\n{planted}\n")
        assert {name for name, _ in through_walls(copy)} == {module.removesuffix(".py").replace("/", ".")}
    finally:
        path.write_text(before)


def test_a_planted_circle_is_found(copy: Path) -> None:
    path = copy / "mobilenet_tvm" / "base" / "errors.py"
    before = path.read_text()
    try:
        path.write_text(f"{before}\n\ndef _late():\n    from mobilenet_tvm.base import child\n")
        assert cycle(copy) is not None
    finally:
        path.write_text(before)


def test_the_front_door_imports_nothing_heavy_at_its_own_level() -> None:
    found = {
        (module, name)
        for module, path in _sources(ROOT, "mobilenet_tvm").items()
        for name in _imports(path, in_functions=False)
        if name.partition(".")[0] in SLOW | TORCH | TVM
    }
    assert not found


@pytest.fixture
def job(tiny_onnx: Path, tmp_path: Path) -> CompileJob:
    return CompileJob(onnx=tiny_onnx, target=targets.load("x86-64-v3"), threads=1, out=tmp_path)


def test_compile_does_without_torch(job: CompileJob) -> None:
    assert run_child("tvm_pipeline", job, Built, block=("torch", "torchvision")).module.is_file()


def test_export_does_without_tvm(tmp_path: Path) -> None:
    job = model_source.export_job("mobilenet_v1_0.25_128", tmp_path / "model.onnx", "random", None)
    run_child("frontend", job, Exported, block=("tvm", "tvm_ffi"))
    assert (tmp_path / "model.onnx").is_file()


def test_the_blocks_bite(job: CompileJob, tmp_path: Path) -> None:
    with pytest.raises(SystemFailure, match=r"ModuleNotFoundError|ImportError"):
        run_child("tvm_pipeline", job, Built, block=("tvm",))
    export = model_source.export_job("mobilenet_v1_0.25_128", tmp_path / "model.onnx", "random", None)
    with pytest.raises(UserError, match="need PyTorch"):
        run_child("frontend", export, Exported, block=("torch",))
