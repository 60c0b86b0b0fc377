# `make eval`, `make test` and `make bench` do all the set-up themselves, in .venv.
.PHONY: help setup lock eval test test-full test-lowest coverage check bench docs baselines

help:
	@echo "make eval    evaluate SmolLM2-135M on a subset of the packaged problems, through vLLM"
	@echo "make test    run the tests (make test TIER=unit for those without a language model)"
	@echo "make test-full  the heavier proofs that make test leaves out"
	@echo "make coverage  run the unit tests and list the lines that they do not reach"
	@echo "make bench   measure the grader beside its peers (make bench ARGS='--synthetic 1000000', ARGS=--help)"
	@echo "make baselines  grade stored responses again; SmolLM2 must stay within its baseline"
	@echo "make check   lint, format and type checks"
	@echo "make docs    write docs/rules.md, what the grader accepts, from the rules in the package"
	@echo "make setup   prepare .venv alone (NEWEST=1 make setup: the newest versions, not the locked ones)"
	@echo "make lock    write scripts/lock/, the versions that set-up installs, anew"
	@echo "make test-lowest  the unit tests with the lowest versions that pyproject.toml claims"

setup:
	@bash scripts/setup.sh

lock:
	@bash scripts/lock.sh

eval: setup
	@bash scripts/eval.sh

test: setup
ifdef TIER
	.venv/bin/python -m pytest -m "$(TIER) and not full"
else
	.venv/bin/python -m pytest -m "alone and not full"
	.venv/bin/python -m pytest -m "not alone and not full" -n 2 --dist worksteal
endif

test-full: setup
	.venv/bin/python -m pytest -m full

test-lowest: setup
	@bash scripts/test_lowest.sh

coverage: setup
	.venv/bin/python -m pytest -m "unit and not alone and not full" -n 2 --dist worksteal \
	  --cov=lm_eval_ext --cov=training --cov-report=term:skip-covered --cov-report=html:out/coverage

bench: setup
	@bash scripts/bench.sh $(ARGS)

docs: setup
	.venv/bin/python -m lm_eval_ext.grading.rules > docs/rules.md

baselines: setup
	@bash scripts/check_baselines.sh

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python scripts/structure.py
