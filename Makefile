# The targets explain themselves: `make help`.
VENV := .venv
PYTHON := $(VENV)/bin/python
# The set-up is done once, and again whenever what is to be installed changes.
READY := $(VENV)/.ready
BASE_PYTHON ?= python3

.PHONY: help demo demo-s3 test check conformance mutants crash bench clean

help: ## Show this list.
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	$(BASE_PYTHON) -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check uv
	$(PYTHON) -m uv pip install --quiet --python $(PYTHON) --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY) ## Run the main job on real data: CSV files to a trained model.
	$(VENV)/bin/treering demo

demo-s3: $(READY) ## The same on a local S3 server.
	$(VENV)/bin/treering demo --s3

test: $(READY) ## Run every test that belongs to a change.
	$(PYTHON) -m pytest -n 2 --dist worksteal -q

conformance: $(READY) ## Run the point-in-time conformance kit alone.
	$(PYTHON) -m pytest -q tests/conformance

mutants: $(READY) ## Plant bugs from the kernel to the models; every one has to be found.
	$(PYTHON) tools/mutants.py

crash: $(READY) ## Kill an ingestion at every one of its I/O operations, and show which were hit.
	$(PYTHON) -m pytest -q -s tests/crash --kills=100

check: $(READY) ## Format, lint, types, layers.
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

bench: $(READY) ## Measure against peers, in one run.
	$(PYTHON) benchmarks/run.py

clean: ## Remove what was built, and the demo's store.
	rm -rf $(VENV) build dist demo-store .pytest_cache .mypy_cache .ruff_cache .hypothesis
