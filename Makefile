# Each target says in one sentence what it does; `make help` prints them.
AS_OF ?= 2017-11-30
WORK := .venv/work/bin

.DEFAULT_GOAL := help
.PHONY: help setup run up down test test-services faults check bench bench-ratings secrets lock

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make the two locked environments, .venv/work and .venv/airflow (a second call installs nothing).
	@command -v python3.11 >/dev/null || { echo "setup: Python 3.11 is missing; install it with 'apt-get install python3.11 python3.11-venv' (Debian) or 'brew install python@3.11' (macOS)." >&2; exit 1; }
	@python3.11 scripts/setup.py

run: setup ## Set up everything and run the daily job for AS_OF (default 2017-11-30) on the real data.
	@$(WORK)/huaxiang run --as-of $(AS_OF)

up: setup ## Start Airflow, MLflow and the report site on 127.0.0.1 and say where they are.
	@$(WORK)/huaxiang up

down: setup ## End what `make up` started, and nothing else.
	@$(WORK)/huaxiang down

test: setup ## Run every test but those of test-services; the page tests need Debian's chromium.
	@$(WORK)/pytest -n 2 --no-loadscope-reorder -m 'not services' --durations 25

test-services: setup ## Test what homes with servers or the engine Spark need: Postgres, MLflow and Spark's cluster as processes here.
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { echo "test-services: PostgreSQL is missing; install it with 'apt-get install postgresql' (Debian)." >&2; exit 1; }
	@$(WORK)/pytest -m services tests --durations 15

faults: setup ## Kill tasks, refuse writes, fill the disk and more, on a small home (KINDS= some only, KILLS=100, SEED=1).
	@$(WORK)/python -m faults $(KINDS) --kills $(or $(KILLS),100) --seed $(or $(SEED),1)

check: setup ## Lint, type-check, check the import rules, and that the generated reference is up to date.
	@$(WORK)/ruff check . && $(WORK)/ruff format --check .
	@$(WORK)/mypy
	@$(WORK)/lint-imports
	@$(WORK)/sqlfluff lint --processes 2 dbt_project/models
	@$(WORK)/huaxiang docs --check

bench: setup ## Measure pairs of ours and a plain reference, about six minutes (WRITE=1 also writes the page of results).
	@$(WORK)/python -m benchmarks $(if $(WRITE),--write --note "$(NOTE)")

bench-ratings: setup ## Measure recommenders on MovieLens 100K beside published tables (installs the data set; half a minute).
	@python3.11 scripts/setup.py bench
	@$(WORK)/python -m benchmarks.ratings

secrets: ## Make the secrets, folders and .env of the scaled form (docker-compose.yml); what is there is kept.
	@PYTHONPATH=src python3 -m huaxiang.scaled

lock: ## Resolve requirements/*.in into hash-locked files, for whoever changes a dependency.
	@for name in work airflow uv bench; do \
	  .venv/uv/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    $$([ $$name = work ] && echo --overrides requirements/work-overrides.txt) $$([ $$name = bench ] && echo --no-deps) \
	    requirements/$$name.in -o requirements/$$name.lock; done
