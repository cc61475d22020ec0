#!/usr/bin/env bash
# Makes .venv: the newest Python of this machine that serves (3.11 to 3.14; PYTHON names another),
# exactly what requirements.lock names, and the workspace's own packages, editable.
set -euo pipefail
cd "$(dirname "$0")/.."

newest_python() {
  local version
  for version in 3.14 3.13 3.12 3.11; do
    scripts/uv.sh python find --system --no-python-downloads "$version" 2>/dev/null && return
  done
  echo "error: Gridtally needs Python 3.11 to 3.14, and none is on the PATH" >&2
  return 1
}

scripts/uv.sh --version >/dev/null
if ! .venv/bin/python --version >/dev/null 2>&1; then
  python=${PYTHON:-$(newest_python)}
  scripts/uv.sh venv --quiet --clear --no-python-downloads --python "$python" .venv
fi

editables=()
for project in libs/*/pyproject.toml services/*/pyproject.toml; do
  editables+=(--editable "${project%/pyproject.toml}")
done
install=(scripts/uv.sh pip install --quiet --python .venv/bin/python)
"${install[@]}" --require-hashes --requirement requirements.lock
"${install[@]}" --no-deps --no-build-isolation "${editables[@]}"
echo "ready: $(.venv/bin/python --version) in .venv"
