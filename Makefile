# Everything runs from .venv, which the first target that needs it makes. No root is needed.
# `make help` lists the targets.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Two cores are what a small machine has, and much of a test is waiting for a server.
WORKERS ?= 3
# Most of a case is waiting for a server.
FAULT_WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo run test test-interop test-faults count-faults check format screenshots dist test-corpora catalogue clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/installed ## the program on a sample store and a server in memory (ARGS=--check: without a screen)
	@$(BIN)/python -m hikkoshi.demo $(ARGS)

run: $(VENV)/installed ## the program itself: make run ARGS="--local PATH --server imaps://user@host"
	@$(BIN)/hikkoshi $(ARGS)

test: $(VENV)/developed ## all tests; fetches Dovecot and tmux for them where it can
	$(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS)

test-interop: $(VENV)/developed ## the same on Dovecot, Cyrus, Courier and bare servers, which it fetches where it can
	$(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS) tests/interop

test-faults: $(VENV)/developed ## all of the crash matrix: moves that are killed, cut off, refused; up to 20 minutes
	$(BIN)/python -m pytest -q -n $(FAULT_WORKERS) --all-faults $(ARGS) tests/faults

count-faults: $(VENV)/developed ## count the points at which a move is killed anew: tests/faults/points.toml
	$(BIN)/python tests/faults/points.py

check: $(VENV)/developed ## lint, format, types, layers, catalogues
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks
	$(BIN)/lint-imports
	$(BIN)/python scripts/catalogue.py --check

format: $(VENV)/developed ## put the code into form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

screenshots: $(VENV)/developed ## renew screenshots/ from the demo
	$(BIN)/python screenshots/make.py

dist: $(VENV)/developed ## sdist and wheel in dist/
	rm -rf dist
	$(BIN)/python -m build

test-corpora: $(VENV)/developed ## the stores' readers on a folder of real mail: make test-corpora CORPORA=DIR
	@test -n "$(CORPORA)" || { echo "say which folder: make test-corpora CORPORA=DIR"; exit 2; }
	CORPORA="$(CORPORA)" $(BIN)/python -m pytest -q tests/corpora

bench: $(VENV)/developed ## all benchmarks beside their peers; writes docs/performance.md (ARGS="--imapsync PATH")
	$(BIN)/python benchmarks/run_all.py $(ARGS)

bench-quick: $(VENV)/developed ## counted, not timed: round trips, bytes, rows, modules; fails on a regression
	$(BIN)/python benchmarks/structural.py

catalogue: $(VENV)/developed ## collect new texts into locale/ and compile them
	$(BIN)/python scripts/catalogue.py

clean: ## remove what was made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "hikkoshi needs Python 3.11 or newer; none was found on the PATH."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)."; exit 2; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade "pip>=25.1"

$(VENV)/installed: $(VENV)/bin/python pyproject.toml hatch_build.py $(wildcard tui/hikkoshi/locale/*/LC_MESSAGES/*.po)
	@echo "Installing hikkoshi into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-warn-script-location -e .
	@touch $@

$(VENV)/developed: $(VENV)/installed
	@$(BIN)/python -m pip install -q --disable-pip-version-check --group dev
	@touch $@
