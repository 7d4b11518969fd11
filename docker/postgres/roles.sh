#!/bin/sh
# One role and one database for each service; neither is a superuser, and neither may look into the other's database.
# Runs once, when Postgres makes its data folder. Passwords come from the services' own password files.
set -eu
for name in airflow mlflow; do
    PASSWORD_FILE="${SECRETS:-/run/secrets}/${name}_pgpass"
    export PASSWORD_FILE
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$name" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cut -d: -f5 "$PASSWORD_FILE"`
create role :"name" login nosuperuser nocreatedb nocreaterole noreplication password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
done
