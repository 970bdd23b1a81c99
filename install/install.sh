#!/bin/bash
# Puts tattile on a machine with systemd, or brings it up to date. Safe to run again: what is as it should be is left alone,
# and settings and data are never overwritten.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=
BINARY=
THREE=no
ACTION=install
PURGE=no

usage() {
  cat <<'TEXT'
usage: install.sh [--three] [--binary FILE] [--root DIR]
       install.sh --uninstall [--purge] [--root DIR]

  --three       three services (tattile-ingest, tattile-sender, tattile-api) instead of one
  --binary FILE the executable; by default ./tattile beside this script, else ../dist/tattile
  --root DIR    into the file tree DIR (an image, a test); no service is touched
  --uninstall   takes away program, units and reserved ports; settings and data stay
  --purge       with --uninstall: settings, data, certificates and user go too
TEXT
}

say() { echo "install.sh: $*"; }
die() {
  echo "install.sh: $*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --three) THREE=yes ;;
    --binary) BINARY=${2:?install.sh: --binary needs a file} && shift ;;
    --root) ROOT=${2:?install.sh: --root needs a folder} && shift ;;
    --uninstall) ACTION=uninstall ;;
    --purge) PURGE=yes ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && die "unknown argument $1" ;;
  esac
  shift
done
[ "$PURGE" = no ] || [ "$ACTION" = uninstall ] || die "--purge only goes with --uninstall"
ROOT=${ROOT%/}
[ -z "$ROOT" ] || [ -d "$ROOT" ] || die "--root $ROOT: no such folder"

ALL_UNITS="tattile.service tattile-ingest.service tattile-sender.service tattile-api.service"
if [ "$THREE" = yes ]; then
  UNITS="tattile-ingest.service tattile-sender.service tattile-api.service"
else
  UNITS="tattile.service"
fi
UNIT_DIR=$ROOT/etc/systemd/system
SYSCTL_FILE=$ROOT/etc/sysctl.d/99-tattile.conf
SYSUSERS_FILE=$ROOT/etc/sysusers.d/tattile.conf
ENV_FILE=$ROOT/etc/tattile/tattile.env
SHARE=$ROOT/usr/local/share
DOC_DIR=$SHARE/doc/tattile
DATA_DIR=$ROOT/var/lib/tattile
TARGET=$ROOT/usr/local/bin/tattile

is_ours() { grep -q '^ExecStart=/usr/local/bin/tattile ' "$1" 2>/dev/null; }

check_machine() {
  [ "$(uname -s)" = Linux ] || die "this is not Linux but $(uname -s)"
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) die "no tattile for $(uname -m): it runs on x86_64 and aarch64" ;;
  esac
  getconf GNU_LIBC_VERSION >/dev/null 2>&1 || die "glibc is missing: this executable is for Debian, Ubuntu and their like"
  [ -n "$ROOT" ] && return
  [ "$(id -u)" = 0 ] || die "run as root"
  [ -d /run/systemd/system ] || die "systemd does not run this machine"
}

# put MODE SOURCE TARGET: by a temporary name and a rename, and only when something differs.
put() {
  local mode=$1 source=$2 target=$3
  if ! cmp -s "$source" "$target"; then
    install -D -m "$mode" "$source" "$target.new"
    sync "$target.new"
    mv -f "$target.new" "$target"
    say "wrote ${target#"$ROOT"}"
  fi
  chmod "$mode" "$target"
}

put_text() { # MODE TARGET, text from standard input
  local from
  from=$(mktemp)
  cat >"$from"
  put "$1" "$from" "$2"
  rm -f "$from"
}

put_binary() {
  if [ -z "$BINARY" ]; then
    BINARY=$HERE/tattile
    [ -f "$BINARY" ] || BINARY=$HERE/../dist/tattile
  fi
  [ -f "$BINARY" ] || die "no executable at $BINARY: build it (scripts/build.sh) or name it with --binary"
  # Tried where it will live: that folder may be on a filesystem without execution, and the old one still stands.
  install -D -m 0755 "$BINARY" "$TARGET.new"
  local said
  if ! said=$("$TARGET.new" version </dev/null 2>&1); then
    rm -f "$TARGET.new"
    die "the executable does not run here: $said"
  fi
  if cmp -s "$TARGET.new" "$TARGET"; then
    rm -f "$TARGET.new"
    chmod 0755 "$TARGET"
    say "unchanged: $said"
    return
  fi
  [ ! -f "$TARGET" ] || ln -f "$TARGET" "$TARGET.previous"
  sync "$TARGET.new"
  mv -f "$TARGET.new" "$TARGET"
  say "installed: $said"
}

put_user() {
  put_text 0644 "$SYSUSERS_FILE" <<<'u tattile - "tattile, number-plate readings" /var/lib/tattile /usr/sbin/nologin'
  if [ -n "$ROOT" ]; then
    systemd-sysusers --root="$ROOT" tattile.conf 2>/dev/null || die "the user tattile could not be made in $ROOT"
  else
    systemd-sysusers tattile.conf 2>/dev/null || die "the user tattile could not be made: systemd-sysusers tattile.conf says why"
  fi
}

id_of() { awk -F: '$1 == "tattile" { print $3 }' "$ROOT/etc/$1"; } # passwd or group

own() { # OWNER GROUP PATH, names of the target's own files
  [ "$(id -u)" = 0 ] || return 0
  local user=0 group=0
  [ "$1" = root ] || user=$(id_of passwd)
  [ "$2" = root ] || group=$(id_of group)
  chown "$user:$group" "$3"
}

folder() { # MODE OWNER GROUP PATH
  [ -d "$4" ] || mkdir -p "$4"
  own "$2" "$3" "$4"
  chmod "$1" "$4"
}

put_files() {
  folder 0750 root tattile "$ROOT/etc/tattile"
  folder 0750 tattile tattile "$DATA_DIR"
  folder 0750 tattile tattile "$DATA_DIR/images"
  folder 0700 tattile tattile "$DATA_DIR/certs"
  put 0640 "$HERE/tattile.env.example" "$ROOT/etc/tattile/tattile.env.example"
  own root tattile "$ROOT/etc/tattile/tattile.env.example"
  if [ ! -e "$ENV_FILE" ]; then
    put 0640 "$HERE/tattile.env.example" "$ENV_FILE"
  fi
  # It may hold passwords: whoever made it, only root writes it and only tattile reads it.
  own root tattile "$ENV_FILE"
  chmod 0640 "$ENV_FILE"
  # All but the pages for who builds tattile: what one of these links to is there too.
  local page
  for page in install operation operacion from-ajustes site configuration protocol guarantees api dashboard postgresql \
    scaling performance; do
    if [ -f "$HERE/../docs/$page.md" ]; then put 0644 "$HERE/../docs/$page.md" "$DOC_DIR/$page.md"; fi
  done
  for page in "$HERE"/../docs/img/*.png; do
    if [ -f "$page" ]; then put 0644 "$page" "$DOC_DIR/img/${page##*/}"; fi
  done
}

# What the shells complete and man shows, as this executable has it; one that is too old to print it gets none.
put_shell_files() {
  local shell target text
  for shell in bash zsh fish man; do
    case $shell in
      bash) target=$SHARE/bash-completion/completions/tattile ;;
      zsh) target=$SHARE/zsh/site-functions/_tattile ;;
      fish) target=$SHARE/fish/vendor_completions.d/tattile.fish ;;
      man) target=$SHARE/man/man1/tattile.1 ;;
    esac
    if [ "$shell" = man ]; then text=$("$TARGET" man </dev/null 2>/dev/null) || continue
    else text=$("$TARGET" completions "$shell" </dev/null 2>/dev/null) || continue; fi
    put_text 0644 "$target" <<<"$text"
  done
}

# The cameras' port lies among those that Linux gives to outgoing connections: any of these may be using it when tattile
# starts. What others have reserved is kept, since the last file that sets this wins.
put_reserved_ports() {
  local ports="33334 33335" file line own_port
  own_port=$(sed -n 's/^[[:space:]]*TRANSIT_PORT[[:space:]]*=[[:space:]]*["'\'']\{0,1\}\([0-9]\{1,5\}\)["'\'']\{0,1\}[[:space:]]*$/\1/p' "$ENV_FILE" | tail -n 1)
  ports="$ports ${own_port:-}"
  for file in "$ROOT"/usr/lib/sysctl.d/*.conf "$ROOT"/run/sysctl.d/*.conf "$ROOT"/etc/sysctl.d/*.conf "$ROOT"/etc/sysctl.conf; do
    if [ ! -f "$file" ] || [ "$file" = "$SYSCTL_FILE" ]; then continue; fi
    line=$(sed -n 's/^[[:space:]]*-\{0,1\}net[./]ipv4[./]ip_local_reserved_ports[[:space:]]*=[[:space:]]*//p' "$file" | tail -n 1)
    ports="$ports ${line//,/ }"
    if [ -n "$line" ] && [ "$(basename "$file")" \> "$(basename "$SYSCTL_FILE")" ]; then
      say "warning: ${file#"$ROOT"} is read after ${SYSCTL_FILE#"$ROOT"} and sets the reserved ports again: add 33334,33335 there"
    fi
  done
  if [ -z "$ROOT" ] && [ -r /proc/sys/net/ipv4/ip_local_reserved_ports ]; then
    line=$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)
    ports="$ports ${line//,/ }"
  fi
  # Merged as the kernel shows them, so that a second run finds nothing to change.
  ports=$(tr -s ' \t' '\n' <<<"$ports" | awk -F- '/^[0-9]+(-[0-9]+)?$/ { print $1, $NF }' | sort -n -k1,1 -k2,2 | awk '
    function out() { printf "%s%s", (n++ ? "," : ""), (from == to ? from : from "-" to) }
    NR > 1 && $1 > to + 1 { out(); from = $1; to = $2; next }
    NR == 1 { from = $1; to = $2 }
    $2 > to { to = $2 }
    END { out() }')
  put_text 0644 "$SYSCTL_FILE" <<TEXT
# Written by tattile's install.sh: keeps the cameras' ports out of the range for outgoing connections.
net.ipv4.ip_local_reserved_ports = $ports
TEXT
  if [ -z "$ROOT" ] && ! sysctl -q -p "$SYSCTL_FILE"; then
    say "warning: the kernel did not take ${SYSCTL_FILE}; it counts from the next start of the machine"
  fi
}

put_units() {
  local unit
  for unit in $ALL_UNITS; do
    # A unit of that name that does not start tattile belongs to the system it replaces.
    if [[ " $UNITS " == *" $unit "* ]]; then
      if [ -f "$UNIT_DIR/$unit" ] && ! is_ours "$UNIT_DIR/$unit"; then
        cp -p "$UNIT_DIR/$unit" "$UNIT_DIR/$unit.replaced"
        say "kept the unit that was there as ${UNIT_DIR#"$ROOT"}/$unit.replaced"
      fi
      put 0644 "$HERE/$unit" "$UNIT_DIR/$unit"
    elif is_ours "$UNIT_DIR/$unit"; then
      remove_unit "$unit"
    fi
  done
  [ -n "$ROOT" ] || systemctl daemon-reload
}

remove_unit() {
  if [ -z "$ROOT" ]; then
    systemctl disable --now --quiet "$1" || true
  fi
  rm -f "$UNIT_DIR/$1"
  say "removed ${UNIT_DIR#"$ROOT"}/$1"
}

next_steps() {
  local unit services="${UNITS//.service/}" foreign=""
  for unit in $ALL_UNITS; do
    if [[ " $UNITS " != *" $unit "* ]] && [ -f "$UNIT_DIR/$unit" ]; then foreign="$foreign ${unit%.service}"; fi
  done
  echo
  echo "Next:"
  [ -z "$foreign" ] || echo "  systemctl disable --now$foreign      # the system that tattile replaces"
  cat <<TEXT
  editor /etc/tattile/tattile.env            # settings; MOSSOS_ENDPOINT_URL, TRANSIT_ALLOW
  systemctl enable $services
  systemctl restart $services
  tattile setup                              # asks for the rest (català, español, English); or one by one:
  tattile municipality add NAME
  tattile cert import FILE.pfx --municipality NAME
  tattile camera add SERIAL --reader CODE --municipality NAME
  tattile status
  journalctl -fu ${services%% *}
To go back to the executable before: mv /usr/local/bin/tattile.previous /usr/local/bin/tattile
More: /usr/local/share/doc/tattile/operation.md (español: operacion.md)
TEXT
}

uninstall() {
  [ -n "$ROOT" ] || [ "$(id -u)" = 0 ] || die "run as root"
  local unit
  for unit in $ALL_UNITS; do
    if is_ours "$UNIT_DIR/$unit"; then remove_unit "$unit"; fi
  done
  for unit in "$UNIT_DIR"/tattile*.service.replaced; do
    [ ! -f "$unit" ] || say "left alone: ${unit#"$ROOT"}, the unit that was there before (take .replaced away to use it again)"
  done
  [ -n "$ROOT" ] || systemctl daemon-reload
  rm -f "$TARGET" "$TARGET.previous" "$TARGET.new" "$SYSCTL_FILE" "$SYSUSERS_FILE" "$ROOT/etc/tattile/tattile.env.example"
  rm -f "$SHARE/bash-completion/completions/tattile" "$SHARE/zsh/site-functions/_tattile" \
    "$SHARE/fish/vendor_completions.d/tattile.fish" "$SHARE/man/man1/tattile.1"
  rm -rf "$DOC_DIR"
  if [ "$PURGE" = yes ]; then
    rm -rf "$ROOT/etc/tattile" "$DATA_DIR"
    if [ -z "$ROOT" ]; then
      ! getent passwd tattile >/dev/null || userdel tattile
    fi
    say "removed, with settings and data; folders set elsewhere by DATA_DIR, IMAGES_BASE_DIR or CERTS_DIR are yours to erase"
  else
    say "removed; kept: /etc/tattile, /var/lib/tattile and the user tattile (--purge takes them too)"
  fi
}

if [ "$ACTION" = uninstall ]; then
  uninstall
else
  check_machine
  put_binary
  put_user
  put_files
  put_shell_files
  put_reserved_ports
  put_units
  next_steps
fi
