.PHONY: help install test check format bench clean

PYTHON ?= python

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install:  ## Install the package as users get it, with everything that the habits need
	$(PYTHON) -m pip install -q '.[dev]'

test:  ## Install the package, then run all tests against it
	$(PYTHON) -m pip install -q '.[test]'
	$(PYTHON) -m pytest

check:  ## Formatting, lint, types, the import contract, doctests; changes nothing
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	lint-imports --no-cache
	$(PYTHON) -m pytest tests/test_doctests.py

format:  ## Format the code and mend what ruff can mend
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

bench:  ## Run the benchmarks (needs '.[bench]') and put their figures into the README
	for script in accuracy gradients digits startup; do $(PYTHON) benchmarks/$$script.py || exit 1; done
	$(PYTHON) benchmarks/readme.py

clean:  ## Remove caches and build folders
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
