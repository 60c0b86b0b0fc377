#!/usr/bin/env bash
# What must hold before a release: the changelog has the version, the metadata and contents of sdist and wheel are
# right, and both work where nothing else is installed, for every Python of pyproject.toml that is found here.
#
#   PYTHONS  interpreters      default: python3.11 to python3.13, those on PATH that start
#   TESTS    what pytest runs from each installed package, in the sdist's own copy of the tests
#            default: tests of the grader and the statistics, which need no torch and read no file of the checkout
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONPATH # else another checkout's package may be the one that is checked
. scripts/environment.sh
with_uv
uv=$PWD/.venv/bin/uv
tests=${TESTS:-tests/grading/test_answers.py tests/grading/test_extract.py tests/grading/test_golds.py \
  tests/grading/test_tolerance.py tests/analysis/test_stats.py tests/analysis/test_compare.py}

.venv/bin/python -m pytest tests/test_release.py
rm -rf out/release
$uv build --quiet --out-dir out/release
DIST=out/release .venv/bin/python -m pytest -m full tests/test_release.py
$uv tool run --quiet twine check --strict out/release/*

checked= missing=
for version in ${PYTHONS:-python3.11 python3.12 python3.13}; do
  if ! "$version" -c pass 2>/dev/null; then
    missing+=" $version"
    continue
  fi
  for package in "$PWD"/out/release/*.whl "$PWD"/out/release/*.tar.gz; do
    work=$(mktemp -d)
    tar -xzf out/release/*.tar.gz -C "$work" --strip-components 1
    rm -r "$work/lm_eval_ext" "$work/training" # so that the installed ones are tested
    $uv venv --quiet --python "$("$version" -c 'import sys; print(sys.executable)')" "$work/.venv"
    $uv pip install --quiet --python "$work/.venv/bin/python" "$package" hypothesis pytest statsmodels
    echo "release-check: $version, ${package##*/}"
    (cd "$work" && eval ".venv/bin/python -m pytest -W default -p no:cacheprovider $tests")
    rm -r "$work"
  done
  checked+=" $version"
done
[ -n "$checked" ] || { echo "release-check: none of$missing is here; name some in PYTHONS" >&2; exit 1; }
echo "release-check: passed with$checked${missing:+; not here, so not checked:$missing}"
