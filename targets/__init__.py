"""What a target is: one TOML file per target, and what the CPU at hand can run. Imports neither torch nor tvm."""

from targets.target import Target, available, load, native

__all__ = ["Target", "available", "load", "native"]
