#!/bin/sh
# Runs a script of this repository: installs the locked dependencies first when they are
# missing or older than the lockfile, and uses the Node 24 among them whatever Node the
# machine has (npm scripts and this file put node_modules/.bin first on PATH).
set -eu
cd "$(dirname "$0")/.."
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing the locked dependencies (npm ci)" >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
case "$(node --version)" in
  v24.*) ;;
  *)
    echo "This project runs on Node 24 and this platform ($(uname -sm)) got $(node --version): install Node 24 and try again" >&2
    exit 1
    ;;
esac
exec node "$@"
