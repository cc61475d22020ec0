# Gridtally's commands. Each sets up what it needs; `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Compiled modules are kept, whatever the machine's habit: every test run starts dozens of processes.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PYTEST := $(BIN)/pytest
# Architecture first, so that one of the workers parses and imports everything and the others need not.
UNIT := tests/architecture libs services
UV := scripts/uv.sh
PACKAGES := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
SOURCES := $(PACKAGES:pyproject.toml=src)
SERVICES := ingest tariff billing ledger simulation
DOCS ?= docs
SETUP := .venv/complete
LINTERS := .tools/lint
RIVALS := .tools/bench
BROWSER := .tools/browser
ASYNCAPI := .tools/asyncapi
CODEGEN := .tools/codegen
LINE_COUNTS := .cache/coverage
SITE := .tools/site
TYPESCRIPT := .tools/client_typescript
CLIENT := libs/client/src/gridtally/client/generated

##@ Everyday

.PHONY: help
help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z][a-z0-9-]*:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## The main job on this machine, from readings to a balanced ledger (ARGS="--help" for more)
	@$(BIN)/gridtally demo $(ARGS)

.PHONY: check
check: setup ## Format, style, types, import contracts, unit tests (a tenth of the random cases)
	@GRIDTALLY_EXAMPLES_TIMES=0.1 $(MAKE) --jobs --output-sync=target --keep-going style types contracts unit

.PHONY: test
test: setup ## The tests. One file or test, quickly: make test T=path K=expression
ifeq ($(T)$(K),)
	@$(MAKE) unit integration
else
	$(PYTEST) $(or $(T),$(UNIT) tests/integration) $(if $(K),-k '$(K)') --timeout 900
endif

.PHONY: servers
servers: setup ## Apache Kafka and PostgreSQL for every test run until Ctrl-C
	@$(BIN)/python tests/servers.py up

.PHONY: servers-stop
servers-stop: setup ## End those of another shell
	@$(BIN)/python tests/servers.py down

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

# A broker that lives for a test costs half the processor time to start so.
integration e2e faults browser: export JDK_JAVA_OPTIONS ?= -XX:TieredStopAtLevel=1 -XX:+UseSerialGC

.PHONY: unit
unit: setup ## Unit and architecture tests: no servers, seconds
	$(PYTEST) $(UNIT) --disable-socket --allow-unix-socket --timeout 600 -p no:schemathesis \
	  --numprocesses logical --dist worksteal

.PHONY: thorough
thorough: setup ## Twenty times as many random cases: bills against naive engines, books against a model
	GRIDTALLY_EXAMPLES_TIMES=20 $(PYTEST) --disable-socket --allow-unix-socket \
	  --numprocesses logical --dist worksteal \
	  libs/rating/tests libs/urdb/tests libs/portal_tariffs/tests services/ledger/tests/test_ledger_payments.py

.PHONY: integration
integration: setup ## Each service and lib against the servers
	$(BIN)/python tests/servers.py during $(PYTEST) tests/integration --timeout 900 \
	  --numprocesses logical --dist loadgroup

.PHONY: coverage
coverage: setup ## Both, with half of the random cases, and how many lines they run; fails below 95 %
	@rm -rf $(LINE_COUNTS) && mkdir -p $(LINE_COUNTS)
	@GRIDTALLY_EXAMPLES_TIMES=0.5 GRIDTALLY_LINE_COUNTS=$(CURDIR)/$(LINE_COUNTS) PYTHONPATH=$(CURDIR)/tests/line_counts \
	  $(MAKE) unit integration PYTEST='$(PYTEST) -p no:slipcover -W ignore::pytest.PytestAssertRewriteWarning'
	@# Of files that nothing has imported, this alone knows.
	@$(BIN)/coverage run -m platform >/dev/null
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: client-typescript
client-typescript: $(TYPESCRIPT) ## Build the TypeScript client and run its tests (needs Node.js and npm)
	@cd $(TYPESCRIPT) && npm test --silent

$(TYPESCRIPT): $(wildcard $(addprefix libs/client_typescript/,*.json */*.mjs src/*.ts) docs/openapi/*.json)
	@rm -rf $@ && mkdir -p .tools && cp -r libs/client_typescript $@
	@cd $@ && npm ci --silent && npm run --silent build
	@touch $@

.PHONY: e2e
e2e: setup $(TYPESCRIPT) ## The whole story through all services (needs Node.js and npm)
	$(PYTEST) $(or $(T),tests/e2e) --timeout 1800 $(ARGS)

.PHONY: browser
browser: setup site $(BROWSER) ## Walk every page of the console in Chromium: figures, keyboard, accessibility, no request elsewhere
	PYTHONPATH=$(CURDIR)/$(BROWSER) $(PYTEST) tests/browser --timeout 900 $(ARGS)

$(BROWSER): scripts/requirements/browser.txt scripts/uv.sh
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python $(BIN)/python --target $@ --requirement $<
	@touch $@

.PHONY: verapdf
verapdf: setup ## Invoices and statements as PDF/A-3, validated by veraPDF (needs a Java development kit and Maven)
	$(PYTEST) tests/pdf_a --timeout 900 $(ARGS)

.PHONY: faults
faults: setup ## kill -9 of services, broker and database while it works; planted bugs
	$(PYTEST) tests/faults --timeout 1800 $(ARGS)

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

.PHONY: style
style: setup ## Format and style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup ## Types, strictly
	$(BIN)/mypy $(SOURCES) scripts/python_client

.PHONY: contracts
contracts: setup ## What may import what
	$(BIN)/lint-imports --no-logo

.PHONY: lint
lint: setup ## Those three side by side
	@$(MAKE) --jobs --output-sync=target --keep-going style types contracts

.PHONY: lint-deploy
lint-deploy: setup $(LINTERS) ## The compose file, Dockerfile, scripts, Prometheus rules
	PATH=$(CURDIR)/$(LINTERS)/bin:$$PATH PYTHONPATH=$(LINTERS) scripts/lint-deploy.sh

$(CODEGEN): scripts/requirements/codegen.txt scripts/uv.sh
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python $(BIN)/python --target $@ --requirement $<
	@touch $@

$(LINTERS): scripts/requirements/lint.txt scripts/uv.sh
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --target $@ --requirement $<
	@touch $@

.PHONY: docs
docs: setup $(CODEGEN) ## Generate docs/openapi/, docs/problems.md, docs/asyncapi.yaml and the client's operations
	@mkdir -p $(DOCS)/openapi
	@set -e; for service in $(SERVICES); do \
	  $(BIN)/python -m gridtally.$$service openapi > $(DOCS)/new; \
	  mv $(DOCS)/new $(DOCS)/openapi/$$service.json; done
	@$(BIN)/python -m gridtally.http.merged_openapi $(SERVICES:%=$(DOCS)/openapi/%.json) > $(DOCS)/new
	@mv $(DOCS)/new $(DOCS)/openapi/gridtally.json
	@$(BIN)/python -m gridtally.http.problem_types > $(DOCS)/new
	@mv $(DOCS)/new $(DOCS)/problems.md
	@$(BIN)/python -m gridtally.contracts.asyncapi > $(DOCS)/new
	@mv $(DOCS)/new $(DOCS)/asyncapi.yaml
	@PATH=$(CURDIR)/$(BIN):$$PATH PYTHONPATH=$(CODEGEN) $(BIN)/python scripts/python_client \
	  $(if $(filter docs,$(DOCS)),$(CLIENT),$(DOCS)/client) $(SERVICES:%=$(DOCS)/openapi/%.json)

.PHONY: docs-check
docs-check: ## Fail where the generated documents are not those of the code
	@$(MAKE) docs DOCS=.cache/docs
	diff -ru docs/openapi .cache/docs/openapi
	diff -u docs/asyncapi.yaml .cache/docs/asyncapi.yaml
	diff -u docs/problems.md .cache/docs/problems.md
	diff -ru --exclude=__pycache__ $(CLIENT) .cache/docs/client

.PHONY: asyncapi-check
asyncapi-check: $(ASYNCAPI) ## Read docs/asyncapi.yaml with AsyncAPI's own parser (needs Node.js and npm)
	@NODE_PATH=$(ASYNCAPI)/node_modules node scripts/asyncapi/check.cjs docs/asyncapi.yaml

$(ASYNCAPI): scripts/asyncapi/package-lock.json
	@rm -rf $@ && mkdir -p $@
	@cp scripts/asyncapi/{.npmrc,package.json,package-lock.json} $@
	@npm ci --silent --prefix $@
	@touch $@

.PHONY: site
site: setup $(SITE) ## Build the documentation site into .cache/site/; fails on a dead link, or what asks other hosts
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=$(CURDIR)/$(SITE):$(CURDIR)/scripts/site \
	  $(BIN)/python -m mkdocs build --strict --config-file scripts/site/mkdocs.yml
	@echo "open .cache/site/index.html"

$(SITE): scripts/requirements/site.txt scripts/uv.sh
	@$(UV) pip install --quiet --require-hashes --only-binary :all: --python $(BIN)/python --target $@ --requirement $<
	@touch $@

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
	$(COMPILE) $(ARGS) scripts/requirements/browser.in --output-file scripts/requirements/browser.txt
	$(COMPILE) $(ARGS) scripts/requirements/bench.in --output-file scripts/requirements/bench.txt
	$(COMPILE) $(ARGS) scripts/requirements/codegen.in --output-file scripts/requirements/codegen.txt
	$(COMPILE) $(ARGS) scripts/requirements/site.in --output-file scripts/requirements/site.txt
	cd scripts/asyncapi && npm install --silent --package-lock-only
