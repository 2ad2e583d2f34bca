# Everything that a fresh machine needs. `make help` explains; GNU make 3.81 is enough.
# Paths here are relative, so that the clone may lie under any path, spaces included.
SHELL = /bin/sh
.DEFAULT_GOAL := help
.PHONY: help up down reset test lint bench lock

TIER ?= durable
PORT ?= 8000
ARGS ?=
PY = .venv/bin/python
UV ?= uv

help:
	@echo 'make up      set up what is missing, then run everything here; Ctrl-C stops it'
	@echo '             TIER=durable  PORT=8000 (every port follows)  RINGBACK_HOME=.ringback'
	@echo 'make down    stop it from another terminal'
	@echo 'make reset   stop it and delete its data (asks first)'
	@echo 'make test    set up, then run every test      ARGS="-k name" chooses some'
	@echo 'make lint    format check, rules, types, layers'
	@echo 'make bench   measure it against its peers     ARGS=... are passed on'
	@echo 'make lock    choose the newest versions that fit, and write every lock'
	@echo
	@echo 'Then: ./manage.py doctor (what is found, missing, running), ./manage.py help'

up:
	@case "$(TIER)" in replicated|isolated) what=ha ;; *) what=run ;; esac; sh deploy/local/install.sh $$what
	@exec $(PY) -m deploy.local up --tier "$(TIER)" --port "$(PORT)"

down:
	@if [ -x $(PY) ]; then exec $(PY) -m deploy.local down; else echo 'Nothing runs: it was never set up.'; fi

reset:
	@if [ -x $(PY) ]; then exec $(PY) -m deploy.local reset; else echo 'There is no data: it was never set up.'; fi

test:
	@sh deploy/local/install.sh dev
	$(PY) -m pytest $(ARGS)

lint:
	@sh deploy/local/install.sh dev
	@bad=0; \
	$(PY) -m ruff format --check . || bad=1; \
	$(PY) -m ruff check . || bad=1; \
	$(PY) -m mypy . || bad=1; \
	.venv/bin/lint-imports || bad=1; \
	$(PY) -m codespell_lib . || bad=1; \
	exit $$bad

bench:
	@sh deploy/local/install.sh dev
	$(PY) -m deploy.lab.bench $(ARGS)

# The header names only this command: no index, no path of a machine. Extras stay written: pip takes `coverage`
# and `coverage[toml]` for two requirements, and would look for a newer release of the one that is not pinned.
LOCK = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-strip-extras --python-version 3.11 --custom-compile-command 'make lock' $(LOCK_ARGS) --extra local
LOCK_ARGS ?= --upgrade

lock:
	@command -v $(UV) >/dev/null || { echo 'make lock needs uv: pip install uv, or make lock UV=/path/to/uv'; exit 2; }
	$(LOCK) --output-file requirements.lock pyproject.toml
	$(LOCK) --extra ha --constraints requirements.lock --output-file requirements-ha.lock pyproject.toml
	$(LOCK) --extra ha --group dev --constraints requirements-ha.lock --output-file requirements-dev.lock pyproject.toml
