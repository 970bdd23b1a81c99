#!/usr/bin/env bash
# Makes dist/tattile for this machine. No target is named: the pinned Bun carries its own runtime, and its x64 one has the
# same bytes as the baseline build (no AVX2), so that nothing is fetched and old Atoms can run the result.
# Do not strip what comes out: stripping turns it into plain bun.
# shellcheck source=scripts/bootstrap.sh
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
install_packages

version=$(node -p 'require("./package.json").version')
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
if [ "$commit" != unknown ] && [ -n "$(git status --porcelain 2>/dev/null)" ]; then
  commit="$commit+"
fi

# Built aside and renamed: a build that breaks, or runs beside another, leaves no half file.
mkdir -p dist
work=$(mktemp -d dist/build-XXXXXX)
trap 'rm -rf "$work"' EXIT
env -u BUN_OPTIONS -u BUN_BE_BUN "$BUN" build src/main.ts --compile --splitting --minify --bytecode --format=esm --sourcemap \
  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
  --define "TATTILE_VERSION=\"$version\"" --define "TATTILE_COMMIT=\"$commit\"" \
  --outfile "$work/tattile" </dev/null >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  die "the build failed"
}

# Bun can finish without complaint and leave a binary that dies at its start.
said=$("$work/tattile" version </dev/null 2>&1) || die "the built binary does not run: $said"
case $said in
  *"$version"*) ;;
  *) die "the built binary says \"$said\", not version $version" ;;
esac
mv -f "$work/tattile" dist/tattile
echo "dist/tattile: $said, $(du -m dist/tattile | cut -f1) MB"
