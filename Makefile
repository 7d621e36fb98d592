# Everything a developer or an operator runs. Each target creates what it needs first.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The Lambda runtime's Python. One that is installed is used; otherwise uv downloads it.
PYTHON_VERSION := 3.13
PYTHON := $(shell for p in python$(PYTHON_VERSION) $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(PYTHON_VERSION).*/bin/python$(PYTHON_VERSION); do \
	"$$p" -c '' 2>/dev/null && { command -v "$$p"; break; }; done)
UV := .tools/bin/uv
CIR := .venv/bin/cir
export UV_PYTHON := $(or $(PYTHON),$(PYTHON_VERSION))

CDK := node_modules/.bin/cdk
ENV ?= dev
# more options for the CDK's own command
OPTIONS ?=
# jsii prints eleven lines about Node 20 at every start; the value is the version that it shall keep quiet about
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: help setup hooks demo check test test-cli coverage mutate e2e lint docs bench synth diff bootstrap deploy lock audit wheels clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 12

setup: .venv/.done .venv-aws/.done ## create the two Python environments

hooks: setup ## have git run what CI checks: lint at a commit, the fast tests at a push
	.venv/bin/pre-commit install

demo: setup ## the whole system on this machine: import, calls, faults
	@$(CIR) demo

check: lint ## the inner loop: lint, contracts, types, fast tests
	.venv/bin/pytest -m "not slow" -n 2 --dist loadfile -q

test: setup node_modules/.done lint ## everything that must hold before a landing
	.venv/bin/pytest -n 2 --dist loadfile

test-cli: .venv-$(PYTHON_VERSION)/.done .venv-aws/.done ## what a command needs, on another Python (PYTHON_VERSION=3.12)
	.venv-$(PYTHON_VERSION)/bin/pytest tests/cli tests/cir/identity tests/cir/matching tests/cir/duplicates tests/cir/imports

coverage: setup ## the fast tests, and how many branches they reach; fails below the floor in pyproject.toml
	.venv/bin/pytest -m "not slow" -n 2 --dist loadfile -q --cov --cov-report=term:skip-covered

mutate: setup ## put faults into the engine and see whether its tests notice (IN="FILES OR FOLDERS"); takes hours
	.venv/bin/python -m tools.mutation $(IN)

e2e: setup node_modules/.done ## deploy the unmodified templates on this machine, use them, tear them down
	.venv/bin/pytest tests/e2e

lint: setup ## ruff, the contracts of who may import whom, and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy

docs: setup ## renew the parts of the documentation that are made from the code
	.venv/bin/python -m tools.docs

bench: setup ## measured speed, as ratios against a baseline in the same run, and answers held against the truth
	@$(CIR) bench resolver
	@$(CIR) bench truth
	@$(CIR) bench duplicates

synth: setup node_modules/.done ## the templates of an environment (ENV=dev), without credentials or network
	$(CDK) synth --quiet --no-notices -c env=$(ENV) $(OPTIONS)

diff: setup node_modules/.done ## what a deployment would change (ENV=dev)
	$(CDK) diff --no-notices -c env=$(ENV) $(OPTIONS)

bootstrap: setup node_modules/.done ## prepare an AWS account and region for the CDK, once (ENV=dev)
	$(CDK) bootstrap --no-notices -c env=$(ENV) $(OPTIONS)

deploy: setup node_modules/.done ## deploy an environment (ENV=dev) with the AWS credentials of this shell
	$(CDK) deploy --all --no-notices -c env=$(ENV) $(OPTIONS)

lock: $(UV) ## renew the locked requirements from pyproject.toml
	$(UV) pip compile -q --upgrade --universal --generate-hashes --no-header pyproject.toml -o requirements/lambda.txt
	$(UV) pip compile -q --upgrade --universal --generate-hashes --no-header -c requirements/lambda.txt pyproject.toml --extra duplicates -o requirements/duplicates.txt
	$(UV) pip compile -q --upgrade --universal --generate-hashes --no-header -c requirements/duplicates.txt pyproject.toml --extra cli --extra duplicates --group dev -o requirements/dev.txt
	$(UV) pip compile -q --upgrade --universal --generate-hashes --no-header --group aws -o requirements/aws.txt

audit: setup ## known vulnerabilities of what is locked
	.venv/bin/pip-audit --strict --disable-pip --require-hashes $(addprefix -r ,$(wildcard requirements/*.txt))

wheels: setup ## build what others install into dist: cir, and the Genesys Cloud emulator
	@rm -rf dist
	@.venv/bin/python -m hatchling build -t wheel -d dist
	@cd sandbox/genesys && ../../.venv/bin/python -m hatchling build -t wheel -d ../../dist

clean: ## remove everything that the other targets created
	rm -rf .tools .venv .venv-* cdk.out dist node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(UV):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "cir needs python3 (3.11 or newer, with venv) on the PATH to set itself up; found: $$(python3 --version 2>&1)"; exit 1; }
	@echo "setting up: uv"
	@python3 -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

define create_environment
	@echo "setting up: $(@D)"
	@$(UV) venv --quiet --clear $(@D) || { echo "no Python $(PYTHON_VERSION) here and none could be downloaded; install it (for instance with pyenv) and run make again"; exit 1; }
	@$(UV) pip install --quiet --compile-bytecode --python $(@D)/bin/python --require-hashes -r $<
endef

.venv/.done: requirements/dev.txt pyproject.toml | $(UV)
	$(create_environment)
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

.venv-3.%/.done: requirements/dev.txt pyproject.toml | $(UV)
	$(create_environment)
	@$(UV) pip install --quiet --python $(@D)/bin/python --no-deps --no-build-isolation -e .
	@touch $@

.venv-aws/.done: requirements/aws.txt | $(UV)
	$(create_environment)
	@touch $@

node_modules/.done: package.json package-lock.json
	@command -v npm >/dev/null || { echo "cir needs Node 20 or newer with npm, for the CDK"; exit 1; }
	@echo "setting up: node_modules"
	@npm ci --silent --no-audit --no-fund
	@touch $@
