# Nothing but make and Python >= 3.11 is needed. `make` alone says what there is.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
# The environment is as old as what it was made from, whatever the files' dates are.
sum = $(shell cat $(1) | cksum | cut -d' ' -f1)
RUNTIME := $(VENV)/.runtime-$(call sum,requirements.txt)
DEV := $(VENV)/.dev-$(call sum,requirements.txt requirements-dev.txt)

.DEFAULT_GOAL := help
.PHONY: help setup demo run web test check bench requirements clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

setup: $(DEV) ## the environment only (.venv), with what tests need

demo: $(RUNTIME) ## everything against simulated venues; RESET=1 starts the world anew
	@DATASET=demo exec $(PY) manage.py demo

run: $(RUNTIME) ## everything against the real venues' public data, paper money
	@DATASET=run exec $(PY) manage.py up

web: $(RUNTIME) ## the pages alone, as DATASET=recorded make web
	@exec $(PY) manage.py web

test: $(DEV) ## every check and test, on PostgreSQL and Redis of their own
	@PYTHON=$(PY) sh .ci/checks
	@exec $(PY) -m pytest $(ARGS)

check: $(DEV) ## lint, types, migrations, and the tests that need no browser
	@PYTHON=$(PY) sh .ci/checks
	@exec $(PY) -m pytest -m "not browser" $(ARGS)

bench: $(RUNTIME) ## the figures to hold; NAME=ingest for one of them
	@for name in $(or $(NAME),ingest universe); do $(PY) manage.py bench $$name $(ARGS) || exit; done

requirements: $(DEV) ## pin anew what pyproject.toml asks for
	@PYTHON=$(PY) sh .ci/pin

clean: ## remove the environment and what tools left; data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME):
	@sh .ci/venv $(VENV) $@ requirements.txt

$(DEV):
	@sh .ci/venv $(VENV) $@ requirements-dev.txt
