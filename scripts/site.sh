#!/usr/bin/env bash
# Builds the documentation into out/site, in an environment of its own, .venv/site. Any warning ends it: a link that
# leads nowhere, a docstring that Sphinx cannot read, a cell of a notebook that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
with_uv

[ -x .venv/site/bin/python ] || .venv/bin/uv venv --quiet --python .venv/bin/python .venv/site
.venv/bin/uv pip install --quiet --no-deps --python .venv/site/bin/python --requirement scripts/lock/docs.txt
export PYTHONPATH=$PWD
.venv/site/bin/python scripts/reference.py docs/reference
.venv/site/bin/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going -c docs . out/site
cp out/site/README.html out/site/index.html
echo "out/site/index.html"
