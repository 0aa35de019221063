# The menu: `make` or `make help` lists it. Each target calls one tool.
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTHON_CODE := libs services tests benchmarks scripts
HOST ?= 0.0.0.0
PORT ?= 5060
CALL_CONTROL ?= 1
EDGES ?= 1
NEXT_HOP ?=
# By the environment: a route may hold a quote, and a password that `ps` should not show.
export NEXT_HOP
ARGS ?=
FIRST ?= 0
SEEDS ?= 1000

.PHONY: help setup venv tools run up test test-unit simulate lint type fmt check proto proto-check bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  run:   NEXT_HOP=host:port (without it, a callee of its own answers), HOST=$(HOST), PORT=$(PORT)'
	@echo '  up:    NEXT_HOP=host:port, PORT=$(PORT), CALL_CONTROL=$(CALL_CONTROL) and EDGES=$(EDGES) processes of each kind'
	@echo '  tests: ARGS="..." goes to pytest'
	@echo '  simulate: FIRST=$(FIRST), SEEDS=$(SEEDS); a seed that fails prints how to replay it'

setup: venv tools ## install everything: .venv, and the programs that the tests drive

venv:
	@scripts/setup.sh venv

tools:
	@scripts/setup.sh tools

run: venv ## the B2BUA in one process on UDP and TCP 5060
	@B2BUA_ROUTE="$${NEXT_HOP:-$$B2BUA_ROUTE}" exec $(BIN)/b2bua run --listen udp:$(HOST):$(PORT) --listen tcp:$(HOST):$(PORT)

up: setup ## Redis and all services on loopback; Ctrl-C stops them
	@UP_CALL_CONTROL=$(CALL_CONTROL) UP_NEXT_HOP="$$NEXT_HOP" UP_SIP_PORT=$(PORT) UP_LOG_FORMAT=$$([ -t 2 ] && echo text || echo json) \
		$(BIN)/honcho start -c callee=$(if $(NEXT_HOP),0,1),call-control=$(CALL_CONTROL),sip-edge=$(EDGES) \
		|| [ $$? = 130 ]

test: setup ## all tests
	@$(BIN)/pytest -n 2 --dist loadgroup -q $(ARGS)

test-unit: venv ## the tests that need no other program
	@$(BIN)/pytest -q tests/unit tests/properties tests/contract $(ARGS)

simulate: venv ## many simulated runs with faults; SEEDS=1 tells all of one
	@PYTHONPATH=tests $(BIN)/python -m support.simulation --first $(FIRST) --seeds $(SEEDS) \
		$(if $(EDITION),--edition $(EDITION)) $(ARGS)

lint: venv ## ruff, and the import contracts
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/lint-imports --no-logo

type: venv ## mypy --strict over libraries and services
	@$(BIN)/mypy libs services

fmt: venv ## rewrite the code as the formatter wants it
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

check: lint type proto-check test ## everything that a change has to pass

proto: venv ## generate libs/api from proto/
	@$(BIN)/python scripts/generate_api.py

proto-check: venv ## libs/api is what proto/ generates
	@$(BIN)/python scripts/generate_api.py --check

bench: venv ## measure; writes benchmarks/results/
	@$(BIN)/python benchmarks/run.py $(ARGS)

clean: ## remove everything that is not in git
	@rm -rf .venv .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
