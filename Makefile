# Everything a developer or a first-time user types. `make` alone lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
MODELS := .venv-models
MODELS_PYTHON := $(MODELS)/bin/python
# Which build of torch: cpu, cuda (the registry's own), or a backend that uv knows (cu128, rocm6.4, …).
TORCH ?= $(or $(patsubst $(MODELS)/torch-%,%,$(wildcard $(MODELS)/torch-*)),cpu)
# A mirror configured for pip serves uv too.
export UV_DEFAULT_INDEX := $(or $(UV_DEFAULT_INDEX),$(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null),$(PIP_INDEX_URL))
ifeq ($(strip $(UV_DEFAULT_INDEX)),)
unexport UV_DEFAULT_INDEX
endif

# Hundreds of processes start here: each would compile every library anew.
unexport PYTHONDONTWRITEBYTECODE

# Tests run side by side, those of a file in one process; those that start servers, by themselves.
SIDE_BY_SIDE := -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

$(VENV)/uv: requirements/uv.txt
	@echo "── creating the virtual environment $(VENV)"
	@docker/install uv $(VENV)
	@touch $@

$(VENV)/core: $(VENV)/uv requirements/core.txt pyproject.toml
	@echo "── installing the core packages (locked, no torch)"
	@docker/install core $(VENV)
	@docker/install project $(VENV)
	@touch $@

$(VENV)/dev: $(VENV)/core requirements/dev.txt
	@echo "── installing what tests, lint and types need"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

$(MODELS)/torch-$(TORCH): $(VENV)/uv requirements/models.txt requirements/models_overrides.txt pyproject.toml
	@echo "── making $(MODELS): the model libraries with torch for $(TORCH); about 2 GB, minutes at first"
	@docker/install models $(MODELS) $(TORCH)
	@docker/install project $(MODELS)
	@rm -f $(MODELS)/torch-*
	@touch $@

.PHONY: models
models: $(MODELS)/torch-$(TORCH) ## make the interpreter of the model libraries; TORCH=cuda for a GPU
	@echo "── $(MODELS) is ready, torch for $(TORCH); next: $(BIN)/mirpipe models"

.PHONY: setup
setup: $(VENV)/core ## make the virtual environment and nothing else

.PHONY: demo
demo: $(VENV)/core ## run the main job on the demo library; ONCE=1 ends after the summary
	@MIRPIPE_HOME="$${MIRPIPE_HOME:-$(CURDIR)/var/demo}" $(BIN)/mirpipe up \
	  --references demo/reference --targets demo/target --manifest demo/manifest.csv $(if $(ONCE),--once)

.PHONY: format
format: $(VENV)/dev ## put every file in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lint
lint: $(VENV)/dev ## format, imports and types, changing nothing
	@echo "── format, lint, import rules, types"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-logo | tail -n 2
	@$(BIN)/mypy

.PHONY: check
check: lint ## lint and the fast tests, those without a database, in about a minute
	@echo "── fast tests"
	@$(BIN)/pytest $(SIDE_BY_SIDE) -m "not e2e and not browser and not slow and not database"

# Parts run side by side, so that one computes while another waits; each prints when it ends.
JOBS := $(MAKE) --no-print-directory --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: test
test: ## every test, in both interpreters
	@$(JOBS) lint test-programs $(MODELS)/torch-$(TORCH)
	@echo "── all tests of core"
	@$(BIN)/pytest $(SIDE_BY_SIDE) -m "not e2e and not models"
	@echo "── the pipeline as a whole; beside it the models on random weights, then Celery; in minutes"
	@$(JOBS) test-pipeline test-models

.PHONY: test-programs test-pipeline test-models
test-programs:
	@$(PYTHON) tests/support/install_test_tools.py
test-pipeline:
	@$(BIN)/pytest -q -m "e2e and not celery"
test-models: $(MODELS)/torch-$(TORCH)
	@OMP_NUM_THREADS=1 $(MODELS_PYTHON) -m pytest -q tests/models/adapters tests/plugins/contract
	@$(BIN)/pytest -q -m "celery or models and not e2e"

.PHONY: bench
bench: $(VENV)/dev ## measure speed and memory, write docs/benchmarks.md; PARTS=--missing goes on
	@$(BIN)/python -m benchmarks $(PARTS)

.PHONY: reference
reference: $(VENV)/dev ## write docs/reference/ and docs/published.md as code and database say
	@export MIRPIPE_HOME=$(CURDIR)/var/reference; $(BIN)/mirpipe db up >/dev/null; \
	  $(BIN)/python -m tools.write_reference_docs; $(BIN)/mirpipe published import >/dev/null; \
	  $(BIN)/mirpipe published page >docs/published.md; $(BIN)/mirpipe db remove --yes >/dev/null

.PHONY: docs
docs: $(VENV)/dev ## build the documentation as a site in var/site
	@$(BIN)/mkdocs build --strict --quiet

.PHONY: lock
lock: $(VENV)/uv ## renew the locks from requirements/*.in
	@cd requirements && lock() { ../$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header $$1.in --output-file $$1.txt "$${@:2}"; }; \
	  lock uv; \
	  lock core --override core_overrides.txt; \
	  lock dev; \
	  lock models --override models_overrides.txt --no-emit-package torch

.PHONY: clean
clean: ## remove what the build and the demo left here (stops the demo's database)
	@if [ -x $(BIN)/mirpipe ]; then MIRPIPE_HOME="$${MIRPIPE_HOME:-$(CURDIR)/var/demo}" $(BIN)/mirpipe db down || true; fi
	@# what a home below var keeps elsewhere, too, and of no other home
	@for home in var/*/postgres/pgpass; do \
	  if [ -e "$$home" ] && [ -x $(BIN)/mirpipe ]; then \
	    MIRPIPE_HOME="$(CURDIR)/$${home%/postgres/pgpass}" $(BIN)/mirpipe db remove --yes || true; fi; done
	@rm -rf $(VENV) $(MODELS) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
