"""Who may import whom: by reading the sources, and by running the halves with the other half's library out of reach."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import targets
from mobilenet_tvm import model_source
from mobilenet_tvm.child import run_child
from mobilenet_tvm.errors import SystemFailure, UserError

ROOT = Path(__file__).parents[1]
PACKAGES = ("frontend", "mobilenet_tvm", "targets", "tuning_logs", "tvm_pipeline")
# What both halves and targets may use of the front door, and what the front door may read of the pipeline.
SHARED = {"mobilenet_tvm.errors", "mobilenet_tvm.child_protocol"}
CACHES = {"mobilenet_tvm.paths"}  # targets alone: what emulated devices are built from stays in the user's cache
TVM_FREE = {
    "tvm_pipeline.cuda.find_nvcc",
    "tvm_pipeline.layer",
    "tvm_pipeline.tracker",
    "tvm_pipeline.tuning_log",
}
HEAVY = {"torch", "torchvision", "tvm", "tvm_ffi"}


def _files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Every module that a file imports; with ``from a import b`` both ``a`` and ``a.b``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden: set[ast.AST] = set()
    for node in ast.walk(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        is_typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if top_level_only and (is_function or is_typing):
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


def _top(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("frontend", {"tvm", "tvm_ffi", "tvm_pipeline", "targets"}),
        ("tvm_pipeline", {"torch", "torchvision", "frontend", "targets"}),
        ("targets", HEAVY | {"frontend", "tvm_pipeline"}),
        ("tuning_logs", HEAVY | set(PACKAGES)),
        ("mobilenet_tvm", {"torch", "torchvision", "tvm", "frontend"}),
    ],
)
def test_nothing_is_imported_through_a_wall(package: str, forbidden: set[str]) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in _files(package)
        for name in _imports(path)
        if _top(name) in forbidden
    }
    assert not found


def test_the_front_door_imports_nothing_heavy_at_its_own_level() -> None:
    heavy = HEAVY | {
        "numpy",
        "onnx",
        "onnxruntime",
        "openvino",
        "rich",
        "PIL",
        "platformdirs",
        "filelock",
        "jsonschema",
    }
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in _files("mobilenet_tvm")
        for name in _imports(path, top_level_only=True)
        if _top(name) in heavy
    }
    assert not found


def test_the_halves_use_only_the_front_doors_protocol() -> None:
    for package in ("frontend", "tvm_pipeline", "targets"):
        for path in _files(package):
            used = {name for name in _imports(path) if _top(name) == "mobilenet_tvm" and name != "mobilenet_tvm"}
            allowed = SHARED | CACHES if package == "targets" else SHARED
            stray = {name for name in used if not any(name == s or name.startswith(s + ".") for s in allowed)}
            assert not stray, path


def test_the_front_door_reads_only_what_is_free_of_tvm() -> None:
    allowed = TVM_FREE
    for path in _files("mobilenet_tvm"):
        used = {name for name in _imports(path) if _top(name) == "tvm_pipeline" and name != "tvm_pipeline"}
        assert all(any(name == a or name.startswith(a + ".") for a in allowed) for name in used), path
    for name in TVM_FREE:
        path = ROOT / (name.replace(".", "/") + ".py")
        assert not {found for found in _imports(path) if _top(found) in HEAVY}
        assert {found for found in _imports(path) if _top(found) == "tvm_pipeline"} <= {
            found for found in _imports(path) if any(found == a or found.startswith(a + ".") for a in TVM_FREE)
        }


def test_no_cycles_between_modules() -> None:
    """Between modules, so between packages too; imports that wait in a function do not count."""
    modules = {_module(path): path for package in PACKAGES for path in _files(package)}
    graph = {
        name: {found for found in _imports(path, top_level_only=True) if found in modules and found != name}
        for name, path in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for found in graph[name]:
                # `from package import module` names the package too, whose __init__ may in turn name the module.
                if not name.startswith(found + "."):
                    visit(found, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_packages_depend_on_each_other_one_way() -> None:
    """Errors and protocol apart, which are everyone's, no two packages need each other."""
    edges = {
        (package, _top(name))
        for package in PACKAGES
        for path in _files(package)
        for name in _imports(path)
        if _top(name) in PACKAGES
        and _top(name) != package
        and not (package != "mobilenet_tvm" and any(name == s or name.startswith(s + ".") for s in SHARED))
    }
    edges.discard(("targets", "mobilenet_tvm"))  # only as SHARED and CACHES, which test_the_halves... holds
    assert not {(a, b) for a, b in edges if (b, a) in edges}


@pytest.fixture
def tiny_request(tiny_onnx: Path) -> dict[str, object]:
    """A compile request to the pipeline, but for ``out``."""
    target = targets.load("x86-64-v3").to_json()
    request = {"verb": "compile", "onnx": str(tiny_onnx), "target": target, "threads": 1, "dtype": "float32"}
    return {**request, "logs": [], "shape": None}


def test_compile_does_without_torch(tiny_request: dict[str, object], tmp_path: Path) -> None:
    result = run_child("tvm_pipeline", {**tiny_request, "out": str(tmp_path)}, block=("torch", "torchvision"))
    assert Path(result["module"]).is_file()


def test_export_does_without_tvm(tmp_path: Path) -> None:
    request = model_source.export_request("mobilenet_v1_0.25_128", "random")
    request["out"] = str(tmp_path / "model.onnx")
    run_child("frontend", request, block=("tvm", "tvm_ffi"))
    assert (tmp_path / "model.onnx").is_file()


def test_the_blocks_bite(tiny_request: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(SystemFailure, match=r"ModuleNotFoundError|ImportError"):
        run_child("tvm_pipeline", {**tiny_request, "out": str(tmp_path)}, block=("tvm",))
    request = model_source.export_request("mobilenet_v1_0.25_128", "random")
    request["out"] = str(tmp_path / "model.onnx")
    with pytest.raises(UserError, match="need PyTorch"):
        run_child("frontend", request, block=("torch",))
