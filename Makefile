.PHONY: help install test test-all test-torch test-jax test-browser test-machines native sanitize wasm check-wasm check format bench clean

PYTHON ?= python

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install:  ## Install the package as users get it, with everything that the habits need
	$(PYTHON) -m pip install -q '.[dev]'

test:  ## Install the package, then run the tests against it, the slow ones left out
	$(PYTHON) -m pip install -q '.[test]'
	$(PYTHON) -m pytest

test-all:  ## Install the package, then run all tests against it
	$(PYTHON) -m pip install -q '.[test]'
	$(PYTHON) -m pytest -m 'slow or not slow'

test-torch:  ## Install PyTorch too, then run the tests that need it
	$(PYTHON) -m pip install -q '.[test,torch]'
	$(PYTHON) -m pytest tests_torch

test-jax:  ## Install JAX too, then run the tests that need it
	$(PYTHON) -m pip install -q '.[test,jax]'
	$(PYTHON) -m pytest tests_jax

test-browser:  ## Install Playwright too, then test the pages in the Chromium of the machine, which must be there
	$(PYTHON) -m pip install -q '.[browser]'
	GLASSMAX_BROWSER_TESTS=required $(PYTHON) -m pytest tests/browser -m 'slow or not slow'

test-machines:  ## Install Ray, MPI and the remote file systems too, then run the tests that need them
	$(PYTHON) -m pip install -q '.[test,remote,ray,mpi]'
	$(PYTHON) -m pip install -q 'moto[server]>=5' 's3fs>=2026.9'  # without this floor, pip tries every boto3
	$(PYTHON) -c 'import gcsfs, moto.server, mpi4py.MPI, ray, s3fs' && command -v mpiexec >/dev/null
	$(PYTHON) -m pytest -n 0 -m 'slow or not slow' tests/streaming/test_remote.py tests/distributed/test_ray*.py \
	    tests/distributed/test_mpi*.py tests/distributed/test_members_elsewhere.py tests/cli/test_files_workers.py

native:  ## Install again after a change in native/, compiling only what has changed
	$(PYTHON) -m pip install -q 'scikit-build-core>=1.0' 'nanobind>=3.0,<4' cmake ninja
	$(PYTHON) -m pip install -q --no-deps --no-build-isolation --config-settings=build-dir=build/module \
	    --config-settings=cmake.define.GLASSMAX_NATIVE=ON .

# The thread sanitizer can't bear addresses that are too random, so they are fixed where that is allowed.
sanitize:  ## Run the engine's C++ tests under the address, undefined-behavior and thread sanitizers
	@fixed="setarch $$(uname -m) -R"; $$fixed true 2>/dev/null || fixed=; \
	for what in address,undefined thread; do \
	    folder=build/sanitize-$${what%,*}; \
	    cmake -S native -B $$folder -DGLASSMAX_TESTS=ON -DGLASSMAX_SANITIZE=$$what >/dev/null && \
	    MAKEFLAGS=--no-print-directory cmake --build $$folder --parallel $$(getconf _NPROCESSORS_ONLN) && \
	    echo "== test_engine, -fsanitize=$$what" && \
	    ASAN_OPTIONS=halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
	        $$fixed $$folder/test_engine || exit 1; \
	done

wasm:  ## Compile the engine to WebAssembly for the playground, after a change in native/
	$(PYTHON) native/wasm/build.py

check-wasm:  ## Compile the engine to WebAssembly again and compare it with the file in the package
	$(PYTHON) native/wasm/build.py --check

check:  ## Formatting, lint, types, the import contract, doctests; changes nothing
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	lint-imports --no-cache
	$(PYTHON) -m pytest -n 0 tests/test_doctests.py

format:  ## Format the code and mend what ruff can mend
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

bench:  ## Run the benchmarks (needs '.[bench]') and put their figures into docs/benchmarks.md and the README
	for script in accuracy gradients digits startup doctor trace size streaming files training busy prediction scaling time_to_loss tables ablation machines plots; do $(PYTHON) benchmarks/$$script.py || exit 1; done
	$(PYTHON) benchmarks/readme.py

clean:  ## Remove caches and build folders
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
