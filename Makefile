# `make help` lists what there is. Needs git, make and Python 3.11 or newer with venv.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Two makes at the same time install one after the other, where flock is there.
ALONE := $(if $(shell command -v flock),flock Makefile)
INPUTS := pyproject.toml tests/constraints.txt
.DEFAULT_GOAL := help
.PHONY: help demo run test check bench clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

demo: .venv/.installed ## the orchestrator in front of three emulated servers; ARGS=--once ends after the table
	@$(BIN)/orchestrator demo $(ARGS)

run: .venv/.installed ## the orchestrator itself; ARGS="--port 8080" and so on
	@$(BIN)/orchestrator serve $(ARGS)

test: check ## lint, types, import rules and all tests; ARGS="-k name" picks tests
	$(BIN)/pytest $(ARGS)

check: .venv/.installed-dev ## lint, types and import rules only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/.installed-dev ## cost per request and per chunk, next to nginx; ARGS=--quick
	@$(BIN)/python -m tests.bench $(ARGS)

clean: ## remove .venv and everything that tools left behind; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(ALONE) sh -c 'test -x .venv/bin/python || $(PYTHON) -m venv .venv'

.venv/.installed: $(INPUTS) | .venv/bin/python
	@echo "Installing into .venv"
	@$(ALONE) $(BIN)/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt -e .
	@touch $@

.venv/.installed-dev: $(INPUTS) | .venv/bin/python
	@echo "Installing into .venv"
	@$(ALONE) $(BIN)/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt -e '.[dev]'
	@touch $@ .venv/.installed
