# FlakeGuard's few commands. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS ?= tests
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help setup demo test check format lint types imports serve lock wheel bench fuzz pictures clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything that is needed into .venv, from the locked set

$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "FlakeGuard needs Python 3.11 or newer; install it, or say which: make PYTHON=/path/to/python3"; exit 1; }
	@echo "==> Setting up .venv with $$($(PYTHON) --version) (first time: about half a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "==> Installing the locked packages"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## See the whole loop work on this machine, nothing to configure
	@$(BIN)/flakeguard demo

test: $(READY) ## Run the whole suite (SQLite and a real PostgreSQL from a wheel)
	@echo "==> Running the tests"
	@$(BIN)/python -m pytest $(TESTS) -n 2 --dist loadgroup

check: $(READY) format lint types imports ## Format, lint, types, import rules, then the tests: what CI runs
	@$(MAKE) --no-print-directory test

format: $(READY) ## Check the format (`make format FIX=1` mends it)
	@echo "==> Format"
	@$(BIN)/ruff format $(if $(FIX),,--check) .

lint: $(READY)
	@echo "==> Lint"
	@$(BIN)/ruff check .

types: $(READY)
	@echo "==> Types"
	@$(BIN)/mypy

imports: $(READY)
	@echo "==> Import rules"
	@$(BIN)/lint-imports

serve: $(READY) ## Start the server on http://127.0.0.1:8000 (settings: .env.example)
	@$(BIN)/flakeguard serve

lock: ## Renew requirements.lock (to run) and requirements-dev.lock (to work on it)
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet uv
	@PATH="$(PATH):$(BIN)" $(COMPILE) pyproject.toml -o requirements.lock
	@PATH="$(PATH):$(BIN)" $(COMPILE) --group dev --extra plot pyproject.toml -o requirements-dev.lock

wheel: $(READY) ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist . && ls dist

bench: $(READY) ## Run the benchmarks in their quick form
	@for name in parse store score serve; do echo "==> benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py --quick || exit 1; done
	@echo "==> benchmarks/detection"; $(BIN)/python -m benchmarks.detection --quick

fuzz: $(READY) ## Fuzz the report reader for a minute (installs atheris)
	@$(BIN)/python -m pip install --quiet atheris
	@mkdir -p .fuzz && $(BIN)/python fuzz/read_report.py -max_total_time=60 .fuzz tests/samples/junit

pictures: $(READY) ## Draw every Slack message into docs/pictures (needs Node 20 and Chromium)
	@$(BIN)/python -m pictures

clean: ## Remove what these commands made
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis pictures/node_modules
