# shellcheck shell=bash
# Sourced by the other scripts: changes to the project's folder and gives functions that put in place what is missing.
# Nothing here asks anything or needs a terminal. Bun comes from the npm registry, never from the machine.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
  echo "$0: $*" >&2
  exit 1
}

# npm packages, exactly as locked. Done again when the lock file is another than what was installed by: ages tell nothing of a
# folder that was copied or cached.
install_packages() {
  command -v npm >/dev/null || die "npm is missing: apt-get install npm"
  if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
    npm ci --silent --include=dev --no-audit --no-fund </dev/null || die "npm ci did not succeed: run it by hand to see why"
    cp package-lock.json node_modules/.installed-lock.json
  fi
  find_bun
}

# Sets BUN. npm may be set to run no install scripts; the executable then still lies in its platform package.
find_bun() {
  local candidate wanted
  wanted=$(node -p 'require("./package.json").devDependencies.bun')
  for candidate in "$PWD"/node_modules/.bin/bun "$PWD"/node_modules/@oven/bun-linux-*/bin/bun; do
    if [ -x "$candidate" ] && [ "$("$candidate" --version 2>/dev/null </dev/null)" = "$wanted" ]; then
      # shellcheck disable=SC2034 # used by the scripts that source this
      BUN=$candidate
      return
    fi
  done
  die "bun $wanted is not in node_modules: remove node_modules and try again"
}

# need_commands COMMAND=PACKAGE...: installs the Debian packages of commands that are missing.
need_commands() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    die "missing: install ${missing[*]} (as root: apt-get install ${missing[*]})"
  fi
  apt_install "${missing[@]}" || die "apt-get could not install ${missing[*]}"
}

# The PostgreSQL server's programs, which Debian keeps off the path; tests start a server of their own with them.
need_postgres() {
  compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    die "missing: install PostgreSQL (as root: apt-get install postgresql)"
  fi
  # Without the cluster that the package would make and start for everyone.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  apt_install postgresql || die "apt-get could not install postgresql"
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  # A fresh machine has no package lists, and old ones name versions that are gone: lists are fetched only then.
  apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null 2>&1 && return
  apt-get update -qq </dev/null >/dev/null 2>&1
  apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}
