# Shared by ./run, ./test and the benches: colours, steps, tool paths. Sourced, never run.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
JOBS=$(nproc)
# ccache: no separate preprocessor run (Ninja's dependency files say what a source includes), and hits from other checkouts.
export CCACHE_DEPEND=1 CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1

if [ -t 1 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' OFF=$'\e[0m'; else BOLD='' DIM='' OFF=''; fi
STEP_STARTED=$SECONDS
say() { printf '%s\n' "$*"; }
step() { STEP_STARTED=$SECONDS; printf '%s==>%s %s\n' "$BOLD" "$OFF" "$*"; }
done_step() { printf '%s    %s (%s s)%s\n' "$DIM" "${1:-done}" "$((SECONDS - STEP_STARTED))" "$OFF"; }
die() { printf 'tributary: %s\n' "$*" >&2; exit 1; }

# Node and npm: the machine's own when they are new enough, otherwise those that scripts/setup put into .toolchain.
NODE_MINIMUM=20.19.0
NPM_MINIMUM=11.0.0
newer_or_same() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }
node_is_good() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    newer_or_same "$(node --version | tr -d v)" "$NODE_MINIMUM" && newer_or_same "$(npm --version 2>/dev/null)" "$NPM_MINIMUM"
}
if [ -x .toolchain/node_modules/.bin/npm ]; then
  export PATH="$ROOT/.toolchain/node_modules/.bin:$PATH"
  for dir in "$ROOT"/.toolchain/node_modules/node-linux-*/bin; do [ -d "$dir" ] && export PATH="$dir:$PATH"; done
fi

# Runs a command whose output only matters when it fails; shows a spinner's worth of progress meanwhile.
quietly() { # quietly LOGFILE COMMAND…
  local log=$1; shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    die "this failed: $* (whole output: ${log#"$ROOT"/})"
  fi
}
