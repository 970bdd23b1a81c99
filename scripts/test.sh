#!/usr/bin/env bash
# The whole test run, on a fresh clone too: what is missing, the binary, the tests. Last line: `N passed, N failed`.
# With arguments, only those test files (and no fresh binary when SKIP_BUILD=1).
# shellcheck source=scripts/bootstrap.sh
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
need_commands curl=curl promtool=prometheus node=nodejs npm=npm git=git xmlsec1=xmlsec1 openssl=openssl tmux=tmux zsh=zsh fish=fish groff=groff-base \
  strace=strace unshare=util-linux ip=iproute2 systemd-analyze=systemd shellcheck=shellcheck chromium=chromium
need_postgres
install_packages
[ "${SKIP_BUILD:-}" = 1 ] || scripts/build.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Others than root must be able to reach what a test makes for them.
chmod 711 "$work"
mkdir -m 711 "$work/tmp"
status=0
# What runs tattile as a process of its own runs what was built: it is what counts, and the user that root becomes may not
# be able to read the source.
TATTILE_BINARY="$PWD/dist/tattile" TMPDIR="$work/tmp" "$BUN" test --timeout 60000 --reporter=junit --reporter-outfile="$work/junit.xml" "$@" \
  </dev/null 2>&1 | tee "$work/log" || status=$?
leaked=$(find "$work/tmp" -mindepth 1 -maxdepth 1 -printf '%f\n' | head -5)
# Whatever tests started has this run's TMPDIR, or a folder below it, in its environment; it must have ended with them.
for process in /proc/[0-9]*; do
  if grep -qzE "^TMPDIR=$work/tmp(/|$)" "$process/environ" 2>/dev/null; then
    leaked+=$'\n'"process $(tr '\0' ' ' <"$process/cmdline" | cut -c1-100)"
    kill -KILL "${process#/proc/}" 2>/dev/null || true
  fi
done
"$BUN" scripts/test-summary.ts "$work/junit.xml" "$work/log" "$status" "$leaked"
