# Sourced by set-up and by lock.sh, from the repository's root: says what hardware there is, makes .venv with uv
# in it if it is not there, and tells uv where torch's +cpu build comes from.
#
#   PYTHON       interpreter to build on      default: the first of python3, python3.12, ... that will do
#   TORCH_INDEX  index that has torch's +cpu build, CPU only      default: the find-links that pip is
#                configured with, and without these PyTorch's own index
hardware=cpu
pythons="3.11 3.12 3.13" # those that scripts/lock/cpu.txt is made for
if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
  hardware=gpu
  pythons=3.12
fi
if [ -n "${NEWEST:-}" ]; then pythons="3.11 3.12 3.13 3.14"; fi

# The first interpreter of one of these versions; .venv's own where there is one.
interpreter() {
  local candidates=${PYTHON:-python3 python3.12 python3.11 python3.13} candidate
  if [ -x .venv/bin/python ]; then candidates=.venv/bin/python; fi
  for candidate in $candidates; do
    "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] not in '$pythons'.split())" 2>/dev/null &&
      echo "$candidate" && return
  done
  echo "set-up: $candidates: none is a Python of $pythons, which the $hardware stack is made for;" \
    "set PYTHON to one${candidates:+ (and remove .venv, where there is one)}" >&2
  return 1
}

with_uv() {
  local python links
  python=$(interpreter)
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  # -qq: errors only; pip warns of every configured folder that does not have uv
  .venv/bin/python -m pip install -qq --disable-pip-version-check "$(grep '^uv==' scripts/lock/cpu.txt || echo uv)"
  export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true # as pip does, behind a proxy with certificates of its own
  if [ "$hardware" = gpu ] && [ -z "${TORCH_INDEX:-}" ]; then return; fi
  links=${PIP_FIND_LINKS:-$(.venv/bin/python -m pip config get global.find-links 2>/dev/null || true)}
  if [ -n "$links" ] && [ -z "${TORCH_INDEX:-}" ]; then
    UV_FIND_LINKS=$(echo $links | tr ' ' ,)
    export UV_FIND_LINKS
  else
    export UV_EXTRA_INDEX_URL=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu} UV_INDEX_STRATEGY=unsafe-best-match
  fi
}
