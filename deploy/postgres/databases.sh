#!/bin/bash
# The database image runs this once, on an empty volume: a role and a database for each service.
# No role may enter another's database, make roles, or pass by row-level security.
set -euo pipefail

for service in ingest tariff billing ledger simulation; do
  password=${service^^}_DATABASE_PASSWORD
  psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --set service="$service" --set password="${!password}" <<'SQL'
CREATE ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
psql --username "$POSTGRES_USER" --dbname ingest --set ON_ERROR_STOP=1 \
  --command "CREATE EXTENSION IF NOT EXISTS timescaledb"
