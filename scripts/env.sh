#!/usr/bin/env bash
# Writes .env for docker-compose.yml, with fresh secrets, readable by its owner alone. Never
# overwrites one. The operator's token is shown once; only its SHA-256 is kept.
set -euo pipefail
cd "$(dirname "$0")/.."

secret() { .venv/bin/python -c 'import secrets; print(secrets.token_hex(24))'; }

if [ -e .env ]; then
  echo "error: .env is here already; remove it to make new secrets" >&2
  exit 1
fi
umask 077
operator_token=$(secret)
service_token=$(secret)
{
  # 16 random bytes in base64url, as Kafka writes its ids; none begins with a dash.
  echo "KAFKA_CLUSTER_ID=$(.venv/bin/python -c 'import secrets; print("G" + secrets.token_urlsafe(16)[1:])')"
  for name in POSTGRES INGEST_DATABASE TARIFF_DATABASE BILLING_DATABASE LEDGER_DATABASE SIMULATION_DATABASE GRAFANA; do
    echo "${name}_PASSWORD=$(secret)"
  done
  echo "CONSOLE_SECRETS=$(secret)"
  echo "SERVICE_TOKEN=$service_token"
  echo "SERVICE_TOKEN_SHA256=$(printf %s "$service_token" | sha256sum | cut -d' ' -f1)"
  echo "WEBHOOK_SECRET_KEY=$(secret)"
  echo "OPERATOR_TOKEN_SHA256=$(printf %s "$operator_token" | sha256sum | cut -d' ' -f1)"
} >.env
echo "wrote .env; the operator's token, which makes API keys and is not stored: $operator_token"
