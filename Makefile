# `make help` lists the targets. Everything runs in .venv, which is built from the lock files alone.

.DEFAULT_GOAL := help
.PHONY: help up services test check format bench screenshots mails lock schema migrations clean

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime.lock
DEVELOPMENT := $(VENV)/.development.lock
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps

# The first interpreter that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for candidate in python3 python3.11 python3.12 python3.13 python3.14; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$candidate; break; fi; done)

# How many processes share the tests: two more than there are processors, since many tests wait for other processes.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

# A changed lock file rebuilds the environment, so that nothing left over from an older one can be imported.
$(RUNTIME): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (PYTHON=/path/to/python3 chooses one)." >&2; exit 1; }
	@cmp -s requirements.lock $@ || { set -e; \
		echo "Installing the locked dependencies into $(VENV)"; \
		$(PYTHON) -m venv --clear $(VENV); \
		$(INSTALL) -r requirements.lock; \
		cp requirements.lock $@; }
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@cmp -s requirements-dev.lock $@ || { set -e; \
		echo "Installing what tests and checks need into $(VENV)"; \
		$(INSTALL) -r requirements-dev.lock; \
		cp requirements-dev.lock $@; }
	@touch $@

up: $(RUNTIME) ## Start everything in this terminal, until Ctrl-C (PORT=8000)
	@exec $(BIN)/python -m config.up

services: $(RUNTIME) ## Start only the embedded PostgreSQL and Redis, until Ctrl-C
	@exec $(BIN)/python -m config.up --services-only

test: $(DEVELOPMENT) ## Run the whole suite, on servers of its own (ARGS=... for pytest, WORKERS=0 in one process)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(DEVELOPMENT) ## Lint, types, import contracts, migrations, schema, deployment settings
	@$(BIN)/python -m config.verify

format: $(DEVELOPMENT) ## Let ruff rewrite the sources
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(DEVELOPMENT) ## Measure (ARGS=... for the benchmarks)
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(DEVELOPMENT) ## Take the documentation's pictures of a running instance (ARGS=--url ...)
	@$(BIN)/python -m scripts.screenshots $(ARGS)

mails: $(DEVELOPMENT) ## Take pictures of every kind of e-mail (ARGS=--output ...)
	@$(BIN)/python -m scripts.mails $(ARGS)

lock: $(DEVELOPMENT) ## Resolve requirements*.in into requirements*.lock (ARGS=--upgrade for newer versions)
	@$(COMPILE) $(ARGS) --output-file requirements.lock requirements.in
	@$(COMPILE) $(ARGS) --output-file requirements-dev.lock requirements-dev.in

clean: ## Remove the environment, caches and collected files; .data/ stays
	@rm -rf $(VENV) staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
