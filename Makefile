# Commands for users and developers. `make` without a command lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
MODELS := .venv-models
MODELS_PYTHON := $(MODELS)/bin/python
# Build of torch: cpu, cuda (the registry's default build), or another torch backend of uv (cu128,
# rocm6.4, …).
TORCH ?= $(or $(patsubst $(MODELS)/torch-%,%,$(wildcard $(MODELS)/torch-*)),cpu)
# Let uv use the package mirror that is configured for pip.
export UV_DEFAULT_INDEX := $(or $(UV_DEFAULT_INDEX),$(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null),$(PIP_INDEX_URL))
ifeq ($(strip $(UV_DEFAULT_INDEX)),)
unexport UV_DEFAULT_INDEX
endif

# The commands start hundreds of processes, each of which would compile all libraries without stored
# bytecode.
unexport PYTHONDONTWRITEBYTECODE

# Test files run in parallel, each in one process. Tests that start servers are run separately.
IN_PARALLEL := -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
CORE := not e2e and not models and not faults and not package

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

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
	@echo "── installing the tools for tests, lint and type checks"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(MODELS)/torch-$(TORCH): $(VENV)/uv requirements/models.txt requirements/models_overrides.txt pyproject.toml
	@echo "── creating $(MODELS) with the model libraries and torch for $(TORCH): about 2 GB, some minutes"
	@docker/install models $(MODELS) $(TORCH)
	@docker/install project $(MODELS)
	@rm -f $(MODELS)/torch-*
	@touch $@

.PHONY: models
models: $(MODELS)/torch-$(TORCH) ## create the Python environment with the model libraries; TORCH=cuda for a GPU
	@echo "── $(MODELS) is ready, with torch for $(TORCH). Next: $(BIN)/mirpipe models"

.PHONY: setup
setup: $(VENV)/core ## create the virtual environment only

.PHONY: demo
demo: $(VENV)/core ## run the main job on the demo library; with ONCE=1, stop after the summary; with SWEEP=1, add a guidance sweep
	@$(BIN)/mirpipe demo $(if $(MIRPIPE_HOME),--home "$(MIRPIPE_HOME)") $(if $(ONCE),--once) $(if $(SWEEP),--sweep)

.PHONY: format
format: $(VENV)/dev ## format all files
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lint
lint: $(VENV)/dev ## check format, style, imports and types without changing files
	@echo "── format, lint, spelling, import rules, types"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/codespell
	@$(BIN)/lint-imports --no-logo | tail -n 2
	@$(BIN)/mypy

.PHONY: check
check: lint ## run lint, and the fast tests that need no database: about a minute
	@echo "── fast tests"
	@$(BIN)/pytest $(IN_PARALLEL) -m "not e2e and not browser and not slow and not database and not faults and not package"

# The parts run in parallel. Each prints its output when it ends.
JOBS := $(MAKE) --no-print-directory $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) --jobs

# $(call timed,PART,COMMAND) runs the command and adds its time to the list that `make test` prints.
TIMES := var/test-times
timed = start=$$(date +%s); status=0; ( $(2) ) || status=$$?; \
  printf '%6d s  %s\n' $$(( $$(date +%s) - start )) "$(1)" >>$(TIMES); exit $$status

.PHONY: test test-core test-e2e
test: test-core test-e2e ## run the tests that need no model libraries, on real servers and in a real browser
	@echo "── duration of each part" && cat $(TIMES)
test-core:
	@mkdir -p var && rm -f $(TIMES)
	@$(call timed,lint and installation,$(JOBS) 2 lint test-programs compiled-tests)
	@echo "── all tests of the core packages"
	@$(call timed,core,$(BIN)/pytest $(IN_PARALLEL) -m "$(CORE)")
test-e2e: test-core
	@echo "── the complete pipeline"
	@$(call timed,pipeline end to end,$(BIN)/pytest -q -m "e2e and not models" tests/e2e)

# pytest compiles the test files. If several processes started at the same time, each would compile
# all of them.
.PHONY: compiled-tests
compiled-tests: $(VENV)/dev
	@$(BIN)/pytest --collect-only -qq -m "$(CORE)" >/dev/null

.PHONY: test-programs test-adapters test-model-stages
test-programs: $(VENV)/uv
	@$(PYTHON) tests/support/install_test_tools.py
test-adapters:
	@$(call timed,models in their own environment,OMP_NUM_THREADS=1 $(MODELS_PYTHON) -m pytest -q tests/models/adapters tests/plugins/contract)
test-model-stages:
	@$(call timed,pipeline with models,$(BIN)/pytest -q -m models tests/e2e tests/cli)

.PHONY: test-models
test-models: $(VENV)/dev $(MODELS)/torch-$(TORCH) ## run the tests of the large models, with random weights
	@mkdir -p var && rm -f $(TIMES)
	@$(JOBS) 2 test-adapters test-model-stages
	@echo "── duration of each part" && cat $(TIMES)

.PHONY: test-faults test-kills test-airflow-faults
test-faults: $(VENV)/dev test-programs ## kill, stop and slow down real processes, and wait until all work is done
	@mkdir -p var && rm -f $(TIMES)
	@$(JOBS) 2 test-kills test-airflow-faults
	@echo "── duration of each part" && cat $(TIMES)
test-kills:
	@$(call timed,killed processes,$(BIN)/pytest -q -m faults --ignore tests/faults)
test-airflow-faults:
	@$(call timed,faults of a running Airflow,$(BIN)/pytest -q tests/faults)

# CI runs the tests of servers side by side, because they wait for much of their time, and the complete
# pipeline together with the kills, because both need an undisturbed run.
.PHONY: test-servers test-possible-containers test-pipeline-and-kills
test-servers: $(VENV)/dev
	@mkdir -p var && rm -f $(TIMES)
	@$(JOBS) 3 test-possible-containers test-pipeline-and-kills test-package test-airflow-faults
	@echo "── duration of each part" && cat $(TIMES)
test-possible-containers:
	@if $(BIN)/python -m tests.containers.check_machine; then \
	  $(call timed,containers,$(MAKE) --no-print-directory test-containers); fi
test-pipeline-and-kills:
	@$(call timed,pipeline and killed processes,$(BIN)/pytest -q -m "(e2e and not models) or faults" --ignore tests/faults)

.PHONY: test-package
test-package: $(VENV)/dev ## build the packages, install them as a user does, and run the demo
	@mkdir -p var
	@$(call timed,packages,$(BIN)/pytest -q -m package tests/package tests/deploy)

.PHONY: test-containers
test-containers: $(VENV)/dev ## build the images and run them in containers, as root if no Docker is running; ALL=1 for all faults
	@$(PYTHON) tests/support/install_test_tools.py containers
	@$(BIN)/pytest -q -m "containers$(if $(ALL),, and not slow)" tests/containers

.PHONY: bench
bench: $(VENV)/dev ## measure speed and memory, and write docs/benchmarks.md; PARTS=--missing skips measured parts
	@$(BIN)/python -m benchmarks $(PARTS)

.PHONY: reference
reference: $(VENV)/dev ## generate docs/reference/ and docs/published.md from the code and a database
	@export MIRPIPE_HOME=$(CURDIR)/var/reference; $(BIN)/mirpipe db up >/dev/null; \
	  $(BIN)/python -m tools.write_reference_docs; $(BIN)/mirpipe published import >/dev/null; \
	  $(BIN)/mirpipe published page >docs/published.md; $(BIN)/mirpipe db remove --yes >/dev/null

.PHONY: error-rates
error-rates: ONCE := 1
error-rates: $(VENV)/dev demo ## simulate how often intervals and tests are wrong, and write docs/reference/error-rates.md
	@MIRPIPE_HOME="$${MIRPIPE_HOME:-$(CURDIR)/var/demo}" $(BIN)/python -m tools.write_error_rates

.PHONY: docs
docs: $(VENV)/dev ## build the documentation site in var/site
	@$(BIN)/mkdocs build --strict --quiet

.PHONY: screenshots
screenshots: $(VENV)/dev ## retake the dashboard screenshots in docs/images/
	@home="$$(mktemp -d)"; trap 'rm -rf "$$home"' EXIT; \
	  MIRPIPE_HOME="$$home" $(BIN)/python -m tools.take_screenshots

.PHONY: lock
lock: $(VENV)/uv ## update the lock files from requirements/*.in
	@cd requirements && lock() { ../$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header $$1.in --output-file $$1.txt "$${@:2}"; }; \
	  lock uv; \
	  lock core; \
	  lock dev --override dev_overrides.txt; \
	  lock old_postgres --no-deps; \
	  lock s3_server; \
	  lock models --override models_overrides.txt --no-emit-package torch

.PHONY: clean
clean: ## delete all build and demo files in this folder (also stops the demo's database)
	@if [ -x $(BIN)/mirpipe ]; then MIRPIPE_HOME="$${MIRPIPE_HOME:-$(CURDIR)/var/demo}" $(BIN)/mirpipe db down || true; fi
	@# Home folders in var can have their database in another folder, which must be deleted, too.
	@for home in var/*/postgres/pgpass; do \
	  if [ -e "$$home" ] && [ -x $(BIN)/mirpipe ]; then \
	    MIRPIPE_HOME="$(CURDIR)/$${home%/postgres/pgpass}" $(BIN)/mirpipe db remove --yes || true; fi; done
	@rm -rf $(VENV) $(MODELS) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
