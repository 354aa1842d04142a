"""Where things of the user's are kept, and how a file or a folder comes to be so that nobody sees half of it."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure

APP = "mobilenet-tvm"
CACHE_VARIABLE = "MOBILENET_TVM_CACHE"
RUNNER_SOURCES = Path(__file__).parents[2] / "runner"
"""The C++ sources of ``mobilenet-run``, in a checkout and in an installation."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux's renameat2


def cache_dir() -> Path:
    """What can be made again: exported models, ``compare``'s packages, the runner; and tuning's databases."""
    from platformdirs import user_cache_path

    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else user_cache_path(APP)


def data_dir() -> Path:
    """What cannot: the logs of the user's own tuning. ``XDG_DATA_HOME`` moves it."""
    from platformdirs import user_data_path

    return user_data_path(APP)


def user_logs_dir() -> Path:
    """Where ``tune`` writes and ``compile`` looks first, unless ``--logs`` names another folder."""
    return data_dir() / "logs"


def package_folder(name: str) -> Path:
    """The folder of an installed top-level package, found without importing it (``tvm`` would import torch)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemFailure(f"the Python package {name} is not installed: run mobilenet-tvm doctor")
    return Path(next(iter(spec.submodule_search_locations)))


def builtin_logs_dir() -> Path:
    """The checked-in logs."""
    return package_folder("tuning_logs")


def sha256_file(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_tree(folder: Path, patterns: tuple[str, ...]) -> str:
    """One SHA-256 over the names and contents of a folder's files that match, at any depth."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in folder.rglob(pattern)}):
        total.update(f"{path.relative_to(folder)}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place at the end, or vanishes if the block fails.

    :param mode: the new file's permissions, of which the user's umask takes some away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(mode & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def install_folder(built: Path, folder: Path) -> None:
    """Put a finished folder at ``folder``, on the same disk; an older one there disappears in the same step."""
    if not folder.exists():
        os.rename(built, folder)
    elif not _exchange(built, folder):
        aside = built.with_name(built.name + ".old")
        os.rename(folder, aside)
        os.rename(built, folder)
        shutil.rmtree(aside)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two folders in one step; False where the system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0)


def make_once(folder: Path, make: Callable[[Path], object], is_made: Callable[[Path], bool] = Path.is_dir) -> Path:
    """A folder that is made if it is not there yet: it appears whole or not at all, whoever else makes it meanwhile.

    :param make: fills an empty folder that becomes ``folder``; what it leaves beside that folder disappears.
    :param is_made: whether what is there will do; what will not is replaced.
    :returns: ``folder``.
    """
    if not is_made(folder):
        from filelock import FileLock

        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock"):
            if not is_made(folder):  # another process may have been faster
                with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
                    built = Path(scratch) / folder.name
                    built.mkdir()
                    make(built)
                    install_folder(built, folder)
    return folder
