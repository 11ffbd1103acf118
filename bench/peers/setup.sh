#!/usr/bin/env bash
# Makes the Python environment of the peers (PEFT, transformers, TRL on torch) and prints its interpreter's path.
# It lies outside the repository, in $TUNESMITH_PEERS or the user's cache, and is made again only when the pins change.
# Nothing in CI needs it: only the benchmark and the export check do.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="${TUNESMITH_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/tunesmith-peers}"
venv="$home/venv"
if [ -x "$venv/Scripts/python.exe" ]; then python="$venv/Scripts/python.exe"; else python="$venv/bin/python"; fi

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    mkdir -p "$home"
    "${PYTHON:-python3}" -m venv "$venv"
    [ -x "$python" ] || python="$venv/Scripts/python.exe"
    "$python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$venv/installed.txt" # last: a broken install is begun again, not believed
fi
echo "$python"
