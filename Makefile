# `make eval`, `make test` and `make bench` do all the set-up themselves, in .venv.
.PHONY: help setup lock eval test test-full test-lowest coverage check bench docs baselines picture site release-check

help:
	@echo "make eval    evaluate SmolLM2-135M on a subset of the packaged problems, through vLLM"
	@echo "make test    run the tests (make test TIER=unit for those without a language model)"
	@echo "make test-full  the heavier proofs that make test leaves out"
	@echo "make coverage  run the unit tests and list the lines that they do not reach"
	@echo "make bench   measure the grader beside its peers (make bench ARGS='--synthetic 1000000', ARGS=--help)"
	@echo "make baselines  grade stored responses again; SmolLM2 must stay within its baseline"
	@echo "make check   lint, format and type checks"
	@echo "make docs    write docs/rules.md from the rules in the package, and docs/licences.md"
	@echo "make release-check  sdist and wheel: metadata, contents, tests from clean environments"
	@echo "make site    build the documentation into out/site; any warning is an error"
	@echo "make picture  the README's picture and figures, from what make eval wrote (needs chromium)"
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
	.venv/bin/python -m pytest -m "$(TIER) and not full" -n 2 --dist worksteal
else
	.venv/bin/python -m pytest -m "not full" -n 2 --dist worksteal
endif

test-full: setup
	.venv/bin/python -m pytest -m "full and not alone" -n 2 --dist loadfile
	.venv/bin/python -m pytest -m "full and alone"

test-lowest: setup
	@bash scripts/test_lowest.sh

coverage: setup
	.venv/bin/python -m pytest -m "unit and not full" -n 2 --dist worksteal \
	  --cov=lm_eval_ext --cov=training --cov-report=term:skip-covered --cov-report=html:out/coverage

bench: setup
	@bash scripts/bench.sh $(ARGS)

docs: setup
	.venv/bin/python -m lm_eval_ext.grading.rules > docs/rules.md
	.venv/bin/python scripts/licences.py > docs/licences.md

release-check: setup
	@bash scripts/release_check.sh

site:
	@bash scripts/site.sh

picture: setup
	cp out/report/tables/scores.csv benchmarks/results/eval.csv
	.venv/bin/python scripts/picture.py out/report/report.html docs/images/report.png

baselines: setup
	@bash scripts/check_baselines.sh

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python scripts/structure.py
