#!/usr/bin/env bash
# Checks what runs Gridtally outside Python: shell scripts, Dockerfile, compose file, Prometheus.
# `make lint-deploy` puts the linters on the PATH; promtool comes from Debian's package.
set -euo pipefail
cd "$(dirname "$0")/.."

find_promtool() {
  if command -v promtool; then return; fi
  local folder=$PWD/.tools/promtool
  if [ ! -x "$folder/usr/bin/promtool" ]; then
    mkdir -p "$folder"
    (cd "$folder" && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .) >&2 ||
      { echo "error: promtool is needed (Debian: apt-get install prometheus)" >&2; return 1; }
  fi
  echo "$folder/usr/bin/promtool"
}

shellcheck .ci/run scripts/*.sh deploy/postgres/*.sh deploy/local/{kafka,python,timescaledb}
hadolint deploy/Dockerfile
check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
promtool=$(find_promtool)
"$promtool" check config deploy/prometheus/prometheus.yml
"$promtool" check rules deploy/alerts/*.yml
"$promtool" test rules deploy/alerts/tests/*.yml
