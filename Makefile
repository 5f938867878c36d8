# `make demo` and `make test` are all a newcomer needs; both build their own environment in .venv.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help demo test lint format conformance browser bench chaos cluster-tools cluster-test lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.installed: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/.installed ## the main job on this machine; ARGS=--once ends by itself
	$(BIN)/kubeci demo $(ARGS)

test: .venv/.installed ## every test that needs nothing but Python, git and make
	@# Bytecode is kept even where the environment says otherwise: rewriting the tests' asserts costs each worker seconds.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 4 --dist worksteal -m "not conformance and not browser and not cluster" $(ARGS)

lint: .venv/.installed ## ruff, mypy strict, the import rules, the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint --failure-threshold style Dockerfile

format: .venv/.installed ## let ruff write the format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

conformance: .venv/.installed ## hold what we send and read against GitHub's published descriptions (npm)
	tests/conformance/fetch
	$(BIN)/pytest -m conformance $(ARGS)

browser: .venv/.installed ## look at the server's pages in Chromium (Debian: apt-get install chromium)
	$(BIN)/pytest -m browser $(ARGS)

bench: .venv/.installed ## speed and memory, as one table
	$(BIN)/python -m bench $(ARGS)

chaos: .venv/.installed ## kill the server, let all around it fail, count what is lost: 0; ARGS=--short takes a few minutes
	$(BIN)/python -m chaos $(ARGS)

cluster-tools: ## build a Kubernetes control plane, Argo and KWOK once, into a cache (Go, about ten minutes)
	tests/real_cluster/tools/install

cluster-test: .venv/.installed ## the same tests on a real API server and Argo's controller; KUBECI_TEST_KUBECONFIG names another cluster
	$(BIN)/pytest -m cluster $(ARGS)

lock: .venv/.installed ## write the lock files anew from pyproject.toml
	$(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet uv
	.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-strip-extras --extra local -o requirements.lock pyproject.toml
	.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-strip-extras --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## forget the environment and the caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .conformance .import_linter_cache
