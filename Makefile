# Everything works on a machine that has only Python (>= 3.11) with pip: the rest comes from the hashed locks.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv
INSTALLED := $(VENV)/.installed
MUTATE := .venv-mutate
OUT ?= cdk.out
ARGS ?=

.PHONY: help setup up down reset test mutate lint synth simulate simulate-bugs fuzz bench verify generate check-generated cfn-lint checkov \
	audit lock clean format

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## create .venv from the hashed locks (fast when current)

$(UV): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one with PYTHON=...")'
	@test -x $(PY) || $(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(PY) install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(INSTALLED): $(UV) requirements/dev.txt pyproject.toml
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

up: setup ## start the local cloud, deploy into it, play the sample day
	@$(PY) -m infra.local up $(ARGS)

down: setup ## stop the local cloud; its state stays for the next make up
	@$(PY) -m infra.local down $(ARGS)

reset: setup ## stop the local cloud and forget its state
	@$(PY) -m infra.local down --wipe

test: setup ## everything that must pass, in one process more than there are processors (ARGS="-n 0 tests/unit")
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder $(ARGS)

$(MUTATE)/.installed: requirements/mutation.txt | $(UV)
	@test -x $(MUTATE)/bin/python || $(PYTHON) -m venv --without-pip $(MUTATE)
	@VIRTUAL_ENV=$(MUTATE) $(UV) pip sync --quiet --require-hashes $<
	@touch $@

mutate: $(MUTATE)/.installed ## change the ledger in thousands of ways, count what the tests notice (resumes; docs/mutation.md)
	@$(MUTATE)/bin/python -m tests.mutation $(ARGS)

lint: setup ## ruff, mypy, synth with cdk-nag, cfn-lint, checkov, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(MAKE) synth cfn-lint checkov check-generated

format: setup ## let ruff fix and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

synth: setup ## write the templates of every stage to cdk.out (cdk-nag findings fail it)
	@$(PY) -m infra.app --with-local --out $(OUT)

cfn-lint: setup ## cfn-lint over the templates that make synth wrote
	@$(PY) -m infra.lint $(OUT)

TOOLS := .cache/tools

$(TOOLS)/%/.installed: requirements/%.txt | $(UV)
	@test -x $(TOOLS)/$*/bin/python || $(PYTHON) -m venv --without-pip $(TOOLS)/$*
	@VIRTUAL_ENV=$(TOOLS)/$* $(UV) pip sync --quiet --require-hashes $<
	@touch $@

checkov: $(TOOLS)/checkov/.installed setup ## checkov over the templates that make synth wrote
	@$(PY) -m infra.checkov $(TOOLS)/checkov/bin/checkov $(OUT)

audit: $(TOOLS)/audit/.installed setup ## known vulnerabilities of what the locks name: 1 is one found, 3 is "could not ask"
	@$(PY) -m infra.audit $(TOOLS)/audit/bin/pip-audit $(ARGS)

generate: setup ## write the generated files anew
	@$(PY) -m infra.generate

check-generated: setup ## fail where a generated file is not current
	@$(PY) -m infra.generate --check

simulate: setup ## seeded histories of the ledger with faults (N=1000 SEED=0; N=1 tells one; BUG=name puts one in)
	@$(PY) -m tests.simulation $(or $(N),1000) --seed $(or $(SEED),0) $(if $(BUG),--bug $(BUG))

simulate-bugs: setup ## how soon the simulation finds each of the bugs that are put in on purpose
	@$(PY) -m tests.simulation --bugs

fuzz: setup ## generated requests to every route of a local cloud of its own, by docs/openapi.json (N=2000 SEED=0)
	@$(PY) -m tests.fuzz $(or $(N),2000) --seed $(or $(SEED),0)

bench: setup ## costs of every operation, real purchases, import times, sizes, against bounds (ARGS="--only ledger")
	@$(PY) -m tests.bench $(ARGS)

verify: setup ## recompute every wallet of the local cloud from its entries
	@test -f .local/env || { echo 'No local cloud: run "make up" first.' >&2; exit 1; }
	@set -a; source .local/env; set +a; $(BIN)/loyalty verify $(ARGS)

COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate

lock: $(UV) ## resolve the locks anew (LOCK_ARGS=--upgrade to move versions)
	@$(COMPILE) $(LOCK_ARGS) --extra cli --group dev pyproject.toml -o requirements/dev.txt
	@$(COMPILE) $(LOCK_ARGS) -c requirements/dev.txt pyproject.toml -o layers/dependencies/requirements.txt
	@$(COMPILE) $(LOCK_ARGS) -c requirements/dev.txt --group mutation pyproject.toml -o requirements/mutation.txt
	@$(COMPILE) $(LOCK_ARGS) --group pyproject.toml:checkov -o requirements/checkov.txt
	@$(COMPILE) $(LOCK_ARGS) --group pyproject.toml:audit -o requirements/audit.txt
	@grep -E '^uv==' requirements/dev.txt | tr -d ' \\' | $(COMPILE) - -o requirements/bootstrap.txt

clean: ## remove what the targets made, but not .venv and not the local cloud's state
	@rm -rf $(OUT) build .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
