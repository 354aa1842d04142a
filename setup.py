"""What pyproject.toml cannot say: a wheel that carries a built mobilenet-run (make wheel) is for one platform."""

from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel

_PROGRAM = Path("runner/bin/x86_64/mobilenet-run")


class PlatformWheel(bdist_wheel):
    """Any Python 3, and no platform of its own unless the program is in it; that is linked for glibc 2.28."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", "manylinux_2_28_x86_64") if _PROGRAM.is_file() else super().get_tag()


setup(cmdclass={"bdist_wheel": PlatformWheel})
