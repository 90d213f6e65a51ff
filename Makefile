# Narke's commands. `make run` and `make test` are all a newcomer needs; each does its own set-up.
SHELL := /bin/bash
PYTHON ?= python3
UV := .bootstrap/bin/uv
BIN := .venv/bin
export RAY_ENABLE_UV_RUN_RUNTIME_ENV := 0
export RAY_USAGE_STATS_ENABLED := 0
.DEFAULT_GOAL := help
.PHONY: help setup run test test-unit bench bench-quick bench-translate fuzz lint format lock docs clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: .venv/.ready ## Everything Narke needs, into ./.venv (nothing outside this folder)

.bootstrap/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
	  || { echo "Narke needs Python 3.11 or 3.12; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.11 setup"; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || deploy/install-pip.sh $(PYTHON)
	@rm -rf .bootstrap && $(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target .bootstrap uv==0.13.8
	@touch $@

.venv/.ready: .bootstrap/.ready requirements.lock pyproject.toml
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python "$$(command -v $(PYTHON))" .venv
	@echo "installing Narke's dependencies into .venv"
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

run: setup ## The whole system with embedded defaults and a demo fleet of 24 stations; Ctrl-C ends it
	@$(BIN)/narke up --fleet 24

test: setup ## All tests and checks (unit, integration, crash); no server needs to run
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy
	@$(BIN)/python -m pytest

test-unit: setup ## The tests that need no server; seconds
	@$(BIN)/python -m pytest -m "not integration and not crash and not cluster and not browser and not slow" -q

bench: setup ## Speed beside an echo server and the ocpp library's; a table and build/bench.json; at most 15 minutes
	@$(BIN)/python -m loadtests.bench

bench-quick: setup ## The same from smaller numbers; at most 2 minutes
	@$(BIN)/python -m loadtests.bench --quick

bench-translate: setup ## CPU of validating and translating a message, beside the ocpp library's; under a minute
	@$(BIN)/python -m tests.benchmarks.translation

fuzz: setup ## A million spoiled frames through the code that answers them; some minutes
	@$(BIN)/narke fuzz --frames 1000000

lint: setup ## ruff, mypy and the import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

format: setup ## Formats the code
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

lock: .bootstrap/.ready ## Renews requirements.lock (add FLAGS=--upgrade to take newer versions)
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev \
	  --python-version 3.11 $(FLAGS) pyproject.toml -o requirements.lock

# Each page is written beside itself first: a generator that fails must not leave an empty page.
docs: setup ## Renews the generated pages (settings, OCPP, every action, conformance)
	@$(BIN)/python -m deploy.settings_page > docs/settings.md.part && mv docs/settings.md.part docs/settings.md
	@$(BIN)/python -m deploy.ocpp_page > docs/ocpp.md.part && mv docs/ocpp.md.part docs/ocpp.md
	@$(BIN)/python -m deploy.ocpp_support_page > docs/ocpp-support.md.part && mv docs/ocpp-support.md.part docs/ocpp-support.md
	@$(BIN)/python -m deploy.conformance_page > docs/conformance.md.part && mv docs/conformance.md.part docs/conformance.md

clean: ## Removes what the commands above made in this folder (not the data directory)
	@rm -rf .venv .bootstrap build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
