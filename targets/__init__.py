"""What a target is: one TOML file per target, and what the CPU at hand can run. Imports neither torch nor tvm."""

from targets.host_cpu import host_arch, host_features, missing_features
from targets.target import Target, available, load, native

__all__ = ["Target", "available", "host_arch", "host_features", "load", "missing_features", "native"]
