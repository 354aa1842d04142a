"""Links a module with ziglang's linker, against no library of this machine, or with a compiler that the user names.

The shared object names ``libm.so.6`` and ``libc.so.6`` as needed but carries no symbol versions, so any glibc will do.
(``zig cc`` would first build its own start files and libc stubs, 17 s on a cold cache; the linker alone takes 0.05 s.)
"""

import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mobilenet_tvm.base.compilers.zig import first_error, run_zig
from mobilenet_tvm.base.errors import SystemFailure

NEEDED = ("libm.so.6", "libc.so.6")


def link_shared(output: str, objects: Sequence[str] | str, zig_target: str) -> None:
    """Link object files into a shared object.

    :raises SystemFailure: they do not link.
    """
    inputs = [objects] if isinstance(objects, str) else list(objects)
    stubs = (Path(_library_stubs(zig_target).name) / name for name in NEEDED)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-link-") as folder:
        compiled = [object_of(Path(path), Path(folder), zig_target) for path in inputs]
        flags = ("-shared", "--no-as-needed", "-z", "now", "--strip-debug")
        run_zig("ld.lld", *flags, "-o", output, *compiled, *stubs, purpose="linking the module")


def link_shared_by(compiler: str, output: str, objects: Sequence[str] | str) -> None:
    """The same by a compiler of the system's, against its own libraries.

    :raises SystemFailure: it does not link them.
    """
    inputs = [objects] if isinstance(objects, str) else list(objects)
    command = [compiler, "-shared", "-fPIC", "-Wl,-z,now,--strip-debug", "-o", output, *inputs, "-lm"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise SystemFailure(f"linking with {compiler} failed: {first_error(finished.stderr)}", finished.stderr)


def object_of(source: Path, folder: Path, zig_target: str) -> str:
    """An object file as it is; TVM's C source, which stands for a module without a single kernel, compiled."""
    if source.suffix == ".o":
        return str(source)
    compiled = folder / f"{source.stem}.o"
    run_zig("c++", "-target", zig_target, "-fPIC", "-x", "c++", "-c", source, "-o", compiled)
    return str(compiled)


@cache
def _library_stubs(zig_target: str) -> tempfile.TemporaryDirectory[str]:
    """A folder of empty libraries that stand for the device's: they leave their names behind and nothing else.
    It lives as long as the process."""
    folder = tempfile.TemporaryDirectory(prefix="mobilenet-tvm-link-")
    directory = Path(folder.name)
    source, empty = directory / "empty.s", directory / "empty.o"
    source.write_text("")
    run_zig("cc", "-target", zig_target, "-c", source, "-o", empty)
    for name in NEEDED:
        run_zig("ld.lld", "-shared", "-soname", name, "-o", directory / name, empty)
    return folder
