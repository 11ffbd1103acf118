#!/usr/bin/env bash
# Makes the environment of llama.cpp (its own builds for the processor, through node-llama-cpp) and prints its folder.
# It lies outside the repository, in $TUNESMITH_PEERS or the user's cache, and is made again only when the pin changes.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="${TUNESMITH_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/tunesmith-peers}/llama.cpp"

if ! cmp -s "$here/package.json" "$folder/installed.json"; then
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$here/package.json" "$folder/package.json"
    # Only what the processor needs: the builds for graphics cards are 200 MB.
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) build=linux-x64 ;;
        Linux-aarch64) build=linux-arm64 ;;
        Darwin-arm64) build=mac-arm64-metal ;;
        Darwin-x86_64) build=mac-x64 ;;
        *) echo "bench/decode: node-llama-cpp has no build for $(uname -sm)" >&2; exit 1 ;;
    esac
    version="$(sed -n 's/.*"node-llama-cpp": "\(.*\)".*/\1/p' "$here/package.json")"
    (cd "$folder" && npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional \
        "@node-llama-cpp/$build@$version" >&2)
    cp "$here/package.json" "$folder/installed.json" # last: a broken install is begun again, not believed
fi
echo "$folder"
