#!/usr/bin/env bash
# Makes what browsers are given (registry/web/dist) if it is missing or older than its sources. Node.js is needed for that, and not to run.
set -euo pipefail
cd "$(dirname "$0")/../registry/web"

if [ -e dist/app.js ] && [ -z "$(find src build.mjs package-lock.json -newer dist/app.js -print -quit)" ]; then
  exit 0
fi
command -v npm >/dev/null || ../../scripts/system-packages.sh nodejs npm
if ! command -v npm >/dev/null; then
  echo "Node.js (18 or later) with npm is missing: install it from your distribution or https://nodejs.org, then try again." >&2
  exit 1
fi
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci
fi
npm run --silent check
npm run --silent build
