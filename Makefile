# `make help` lists what there is. Needs git, make and Python 3.11 or newer with venv; for the admin UI Node.js 20.19 or newer.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Two makes at the same time install one after the other, where flock is there.
ALONE := $(if $(shell command -v flock),flock Makefile)
ALONE_UI := $(if $(shell command -v flock),flock frontend/package-lock.json)
# The exit status of build_ui.py is 3 where there is no npm, which is an error in CI only.
UI := $(PYTHON) frontend/build_ui.py
INPUTS := pyproject.toml tests/constraints.txt
# Exit status 5 of pytest is that ARGS picked no test of a part.
NONE_PICKED := $(if $(ARGS),|| [ $$? = 5 ])
.DEFAULT_GOAL := help
.PHONY: help demo run test check bench bench-ui ui ui-or-without ui-check types browser screenshots clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-17s %s\n", $$1, $$2}'

demo: .venv/.installed ui-or-without ## the orchestrator in front of three emulated servers; ARGS=--once ends after the table
	@$(BIN)/orchestrator demo $(ARGS)

run: .venv/.installed ui-or-without ## the orchestrator itself; ARGS="--port 8080" and so on
	@$(BIN)/orchestrator serve $(ARGS)

test: check ui-check browser ## lint, types, import rules and all tests, also of the UI; ARGS="-k name" picks tests
	$(BIN)/pytest -n 2 --dist worksteal --ignore=tests/web $(ARGS) $(NONE_PICKED)
	$(BIN)/pytest -n 2 --dist loadfile tests/web $(ARGS) $(NONE_PICKED)

check: .venv/.installed-dev ## lint, types and import rules only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@$(BIN)/python frontend/generate_types.py --check || { echo 'frontend/src/api/types.ts is not what the admin API answers: run make types'; exit 1; }

ui: ## the admin UI, built into the package
	@$(UI)

ui-or-without:
	@$(UI) || true

ui-check: ## lint, types and unit tests of the admin UI only
	@$(UI) --packages || { [ $$? = 3 ] && [ "$(CI)" != true ]; }
	@! grep -n '"resolved"' frontend/package-lock.json || { echo 'package-lock.json names registry hosts: see frontend/.npmrc'; exit 1; }
	@! command -v npm >/dev/null || $(ALONE_UI) sh -c 'cd frontend && npm run --silent lint && npm run --silent typecheck && npm test --silent'

types: .venv/.installed ## frontend/src/api/types.ts, made of what the admin API answers
	@$(BIN)/python frontend/generate_types.py

# Debian's Chromium for the tests in a browser, the build without windows if there is one. They say so where there is none.
browser:
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { echo "Installing Chromium"; \
	  apt-get update -qq >/dev/null 2>&1; for package in chromium-headless-shell chromium; do \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 $$package >/dev/null 2>&1 && break; done || true; }

screenshots: .venv/.installed-dev ui ## pictures of every page of the admin UI, in screenshots/
	@$(BIN)/python -m tests.screenshots $(ARGS)

bench: .venv/.installed-dev ## cost per request and per chunk, next to nginx; ARGS=--quick
	@$(BIN)/python -m tests.bench $(ARGS)

bench-ui: .venv/.installed-dev ui ## cost of the admin UI, for the browser and for the orchestrator; 9 minutes
	@$(BIN)/python -m tests.bench.ui $(ARGS)

clean: ## remove .venv and everything that tools left behind; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist frontend/node_modules orchestrator/ui
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
