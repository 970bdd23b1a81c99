#!/usr/bin/env bash
# Installs, builds, and shows readings on their way from simulated cameras to a simulated police.
# shellcheck source=scripts/bootstrap.sh
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
scripts/build.sh
dist/tattile demo "$@"
