#!/usr/bin/env bash
# Installs, builds, and measures; what is measured and against what stands in docs/performance.md.
# shellcheck source=scripts/bootstrap.sh
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
need_commands openssl=openssl
need_postgres
scripts/build.sh
find_bun
"$BUN" test/bench/main.ts "$@"
