# Gridtally's commands. Each sets up what it needs; `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
UV := scripts/uv.sh
PACKAGES := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
SOURCES := $(wildcard libs/*/src services/*/src)
SERVICES := ingest tariff billing ledger
DOCS ?= docs
SETUP := .venv/complete
LINTERS := .tools/lint
RIVALS := .tools/bench

##@ Everyday

.PHONY: help
help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z][a-z0-9-]*:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## The main job on this machine, from readings to a balanced ledger (ARGS="--help" for more)
	@$(BIN)/gridtally demo $(ARGS)

.PHONY: test
test: unit integration ## The tests, on the servers this machine can run

.PHONY: setup
setup: $(SETUP) ## Make .venv from requirements.lock (the other commands do so by themselves)

$(SETUP): requirements.lock $(PACKAGES) scripts/setup.sh scripts/uv.sh
	@scripts/setup.sh
	@touch $@

.PHONY: clean
clean: ## Remove the environment, the downloaded servers and every cache
	rm -rf .venv .tools .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Tests. GRIDTALLY_SERVERS=real|wheels says on which servers; unset, the best this machine can run

.PHONY: unit
unit: setup ## Unit and architecture tests: no servers, seconds
	$(BIN)/pytest --disable-socket --allow-unix-socket --timeout 600

.PHONY: thorough
thorough: setup ## Twenty times as many random cases: bills against naive engines, books against a model
	GRIDTALLY_EXAMPLES_TIMES=20 $(BIN)/pytest --disable-socket --allow-unix-socket \
	  libs/rating/tests services/ledger/tests/test_ledger_settling.py

.PHONY: integration
integration: setup ## Each service and lib against the servers
	$(BIN)/pytest tests/integration --timeout 900

.PHONY: e2e
e2e: setup ## The whole story through all four services
	$(BIN)/pytest tests/e2e --timeout 1800

.PHONY: faults
faults: setup ## kill -9 of services, broker and database while it works; planted bugs
	$(BIN)/pytest tests/faults --timeout 1800

.PHONY: bench
bench: setup $(RIVALS) ## Measure, on the real servers and on the wheels; prints a table, writes .cache/bench/
	@PYTHONPATH=$(CURDIR)/$(RIVALS) $(BIN)/python tests/benchmarks $(ARGS)

$(RIVALS): scripts/requirements/bench.txt scripts/uv.sh
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --no-deps --python $(BIN)/python \
	  --target $@ --requirement $<
	@touch $@

##@ Code and documents

.PHONY: fmt
fmt: setup ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: lint
lint: setup ## Style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

.PHONY: lint-deploy
lint-deploy: setup $(LINTERS) ## The compose file, Dockerfile, scripts, Prometheus rules
	PATH=$(CURDIR)/$(LINTERS)/bin:$$PATH PYTHONPATH=$(LINTERS) scripts/lint-deploy.sh

$(LINTERS): scripts/requirements/lint.txt scripts/uv.sh
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --target $@ --requirement $<
	@touch $@

.PHONY: docs
docs: setup ## Generate docs/openapi/ and docs/asyncapi.yaml
	@mkdir -p $(DOCS)/openapi
	@set -e; for service in $(SERVICES); do \
	  $(BIN)/python -m $$service openapi > $(DOCS)/new; \
	  mv $(DOCS)/new $(DOCS)/openapi/$$service.json; done
	@$(BIN)/python -m contracts.asyncapi > $(DOCS)/new
	@mv $(DOCS)/new $(DOCS)/asyncapi.yaml

.PHONY: docs-check
docs-check: ## Fail where the generated documents are not those of the code
	@$(MAKE) docs DOCS=.cache/docs
	diff -ru docs/openapi .cache/docs/openapi
	diff -u docs/asyncapi.yaml .cache/docs/asyncapi.yaml

##@ Deployment

.PHONY: env
env: setup ## Write .env, with fresh secrets, for docker compose
	@scripts/env.sh

##@ Dependencies

COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
  --no-emit-index-url --no-annotate --no-header
OWN := $(shell sed -n 's/^name = "\(.*\)"/\1/p' $(PACKAGES))

.PHONY: lock
lock: ## Pin every dependency by hash (ARGS=--upgrade takes the newest of all)
	$(COMPILE) $(ARGS) --group dev --all-extras $(OWN:%=--no-emit-package %) $(PACKAGES) \
	  --output-file requirements.lock
	$(COMPILE) $(ARGS) scripts/requirements/uv.in --output-file scripts/requirements/uv.txt
	$(COMPILE) $(ARGS) scripts/requirements/lint.in --output-file scripts/requirements/lint.txt
	$(COMPILE) $(ARGS) scripts/requirements/bench.in --output-file scripts/requirements/bench.txt
