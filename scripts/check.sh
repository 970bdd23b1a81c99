#!/usr/bin/env bash
# Types, lint and format, on a fresh clone and after a pull too: what is missing is installed first.
# shellcheck source=scripts/bootstrap.sh
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
install_packages
node_modules/.bin/tsc --noEmit
node_modules/.bin/tsc --noEmit -p src/web/client
node_modules/.bin/biome check --error-on-warnings .
