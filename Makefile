# Comity. `make demo` shows it, `make test` tests it, `make setup` only sets up; each sets up what it needs.
# Needed: make, bash, Python 3.11 or newer with pip, and the network the first time. Nothing is used from PATH
# but these: all tools live in .venv at the versions that uv.lock names.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
RUN := .venv/bin/python -m
PYTHON_FILES := src tests benchmarks scripts

# Settings of another environment must not leak into this one.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PYTEST_ADDOPTS
export PYTHON

.PHONY: help setup environment packages demo test check format lint types layers reference

help: ## list what can be made
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: environment packages ## set up .venv, and what only tests need where that is possible; quick when done before

environment:
	@scripts/setup environment

packages: environment
	@scripts/setup packages

demo: environment ## follow a stolen payment across five nodes (options: make demo ARGS="--serve")
	@.venv/bin/comity demo $(ARGS)

test: setup ## run every test (a part of them: make test ARGS="tests/unit -k trace")
	@$(RUN) pytest -n 2 --dist loadgroup -rs $(ARGS)

check: format lint types layers ## everything a change must pass: format, lint, types, layers, tests
	@$(MAKE) --no-print-directory test

format: environment ## is the code formatted?
	@$(RUN) ruff format --check $(PYTHON_FILES)

lint: environment ## ruff
	@$(RUN) ruff check $(PYTHON_FILES)

types: environment ## mypy --strict
	@$(RUN) mypy $(PYTHON_FILES)

layers: environment ## who may import whom (ARCHITECTURE.md)
	@.venv/bin/lint-imports

reference: environment ## write docs/reference/cli.md, access.md and spec/node-api.openapi.json anew from what they describe
	@$(RUN) scripts.cli_reference
	@$(RUN) comity.law.access_page > docs/reference/access.md
	@$(RUN) scripts.api_document
