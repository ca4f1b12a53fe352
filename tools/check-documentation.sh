#!/usr/bin/env bash
# Check that the documentation catalogue compiles and that every link in it, and in the public documentation comments,
# leads somewhere. Needs nothing but the Swift toolchain; a few seconds once the library is built.
#
#     tools/check-documentation.sh          # check
#     tools/check-documentation.sh FOLDER   # and keep the compiled documentation (a .doccarchive) there
set -euo pipefail
cd "$(dirname "$0")/.."

docc=$(command -v docc || true)
if [[ -z $docc ]]; then
    docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
fi
if [[ ! -x $docc ]]; then
    echo "documentation: skipped, this toolchain has no docc"
    exit 0
fi

swift build --quiet --target Martlet
built=$(swift build --show-bin-path)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The C modules: those with sources have their map in the build folder.
maps=()
for module in Sources/C*/; do
    name=$(basename "$module")
    map=$module/module.modulemap
    [[ -f $map ]] || map=$built/$name.build/module.modulemap
    maps+=(-Xcc "-fmodule-map-file=$map")
done

# The umbrella re-exports the rooms below it: their public symbols belong to its documentation.
rooms=$(sed -n 's/^@_exported import \(Martlet[A-Za-z]*\)$/\1/p' Sources/Martlet/Martlet.swift | paste -sd,)
mkdir "$work/symbols"
swift symbolgraph-extract -module-name Martlet -target "$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\([^"]*\)".*/\1/p' | head -n 1)" \
    -I "$built/Modules" -experimental-allowed-reexported-modules="$rooms" \
    "${maps[@]}" \
    -minimum-access-level public -skip-synthesized-members -output-dir "$work/symbols"

"$docc" convert Sources/Martlet/Documentation.docc --fallback-display-name Martlet \
    --fallback-bundle-identifier Martlet --additional-symbol-graph-dir "$work/symbols" \
    --warnings-as-errors --output-path "${1:-$work/Martlet.doccarchive}"
echo "documentation: every link resolves"
