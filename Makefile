# Everything works from a fresh clone with python3 (3.11 or newer) and pip. Each target brings what it needs into .venv/.
# `make help` lists the targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := requirements-dev.txt
SEEDS  := 2000

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test faults soak lint serve lock bench clean

help:  ## Show this list
	@echo "cleanclaim: EHR encounters in, clean PHP and IOP claims out."
	@echo
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Arguments for the command go in ARGS:  make demo ARGS='--json'"

demo: $(VENV)/.installed  ## Play a clinic's month: two EHR feeds become paid and denied claims
	@$(BIN)/cleanclaim demo $(ARGS)

serve: $(VENV)/.installed  ## Run the gateway: FHIR API, HL7 listeners, HTTP API, workers
	@$(BIN)/cleanclaim serve $(ARGS)

bench: $(VENV)/.installed  ## Measure the stages against their references
	@$(BIN)/cleanclaim bench $(ARGS)

test: lint  ## Check everything: lint, then all tests (PostgreSQL and OpenSSH start by themselves)
	@echo "==> Tests"
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

faults: $(VENV)/.installed  ## Make every fault happen, and write docs/reference/faults.md from what that showed
	@$(BIN)/pytest -m fault -n auto --dist worksteal --keep-fault-results $(ARGS)
	@$(BIN)/python -m tests.faults.page

soak: $(VENV)/.installed  ## Random months with kills and faults by the thousand (SEEDS=2000), a kill at every point
	@CLEANCLAIM_SEEDS=$(SEEDS) CLEANCLAIM_DEATHS=1000 $(BIN)/pytest -n auto -rP -o faulthandler_timeout=0 \
	  tests/faults/test_killed_everywhere.py tests/faults/test_model.py $(ARGS)

lint: $(VENV)/.installed  ## Formatting, lint, types, import floors
	@echo "==> Formatting";    $(BIN)/ruff format --check --quiet . || { echo "Run: $(BIN)/ruff format ."; exit 1; }
	@echo "==> Lint";          $(BIN)/ruff check --quiet .
	@echo "==> Types";         $(BIN)/mypy --no-error-summary
	@echo "==> Import floors"; floors=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$floors"; exit 1; }

lock: $(VENV)/.installed  ## Pin every dependency anew from requirements*.in, with hashes
	@$(BIN)/uv pip compile $(UV_COMPILE) requirements.in --output-file requirements.txt
	@$(BIN)/uv pip compile $(UV_COMPILE) requirements-dev.in --output-file requirements-dev.txt
	@git --no-pager diff --stat -- requirements.txt requirements-dev.txt 2>/dev/null || true

# Universal: one lock for every system and Python from 3.11 on. It names no index: pip's own settings decide where from.
UV_COMPILE := --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

clean:  ## Remove .venv and everything that is built or cached
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find adapters clearinghouse gateway mappings tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Provisioning, each step once: the environment, the locked packages, then this checkout as the command `cleanclaim`.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "cleanclaim needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | tail -1)."; \
	  echo "If a newer one is installed under another name:  make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "==> Environment ($(VENV), $$($(PYTHON) --version))"
	@$(PYTHON) -m venv $(VENV) >$(VENV).log 2>&1 || { \
	  rm -rf $(VENV); \
	  { $(PYTHON) -m venv --without-pip $(VENV) && \
	    $(PYTHON) -m pip --python $@ install --quiet pip; } >>$(VENV).log 2>&1 || { \
	  cat $(VENV).log; rm -rf $(VENV) $(VENV).log; echo; \
	  echo "Python could not make an environment. On Debian or Ubuntu:  apt-get install python3-venv python3-pip"; exit 1; }; }
	@rm -f $(VENV).log

$(VENV)/.packages: $(LOCK) | $(BIN)/python
	@echo "==> Packages (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCK)
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.packages
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
