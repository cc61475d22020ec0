#!/usr/bin/env bash
# Runs uv: the machine's own, else a pinned one that pip brings into .tools/ of this checkout.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/scripts/requirements/uv.txt

if command -v uv >/dev/null; then
  exec uv "$@"
fi
tools=$root/.tools/uv-$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' "$requirements")
if [ ! -x "$tools/bin/uv" ]; then
  for python in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "bringing uv into $tools" >&2
      # --target also serves where the distribution manages its own Python (PEP 668).
      PIP_ROOT_USER_ACTION=ignore "$python" -m pip install --quiet --upgrade --target "$tools" \
        --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --requirement "$requirements" >&2
      break
    fi
  done
fi
if [ ! -x "$tools/bin/uv" ]; then
  echo "error: neither uv nor pip is here; install one (Debian: apt-get install python3-pip)" >&2
  exit 1
fi
exec "$tools/bin/uv" "$@"
