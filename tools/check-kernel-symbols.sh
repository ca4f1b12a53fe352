#!/usr/bin/env bash
# Fail if an instruction set's kernels leave code that the rest of the program could be linked to.
#
#     tools/check-kernel-symbols.sh                # the objects of every configuration that has been built
#     tools/check-kernel-symbols.sh --self-test    # check that the check can fail
#
# The standard library's generic code is specialised where it is used, as a weak symbol, and the linker keeps one copy of
# each for the whole program. A copy made for AVX-512 would then run on machines without it. So the rooms that are
# built for an instruction set must hold no weak symbols but their own; and they must hold the instructions at all.
set -euo pipefail
cd "$(dirname "$0")/.."

ROOMS=(MartletKernelsAVX2 MartletKernelsAVX512 MartletKernelsVNNI)

# Reads the output of nm; prints the weak symbols that are not the rooms' own.
foreign_weak_symbols() {
    # W weak, V weak object, u unique. __swift_reflection_version is a number that every object carries.
    grep -E ' [WVu] ' | grep -vE ' \$s[0-9]+MartletKernels(AVX2|AVX512|VNNI)[^ ]*$| __swift_reflection_version$' || true
}

self_test() {
    local found
    found=$(foreign_weak_symbols <<'NM'
0000000000000000 V __swift_reflection_version
0000000000000010 W $s20MartletKernelsAVX51212convolveRowsyyF
0000000000000020 T $sSayxGSayxcfC
0000000000000030 W $ss6SIMD16V8repeatingAByxGx_tcfCSf_Tg5
                 U $ss5print
NM
)
    [[ $found == *' W $ss6SIMD16V8repeating'* && $(wc -l <<<"$found") == 1 ]] || {
        echo "self-test: expected the one foreign symbol, found: $found" >&2
        exit 1
    }
    echo "self-test: the foreign weak symbol was found"
}

[[ ${1:-} == --self-test ]] && {
    self_test
    exit
}

# The instruction sets are x86-64's.
[[ $(uname -m) == x86_64 ]] || {
    echo "kernel symbols: nothing to check on $(uname -m)"
    exit
}

checked=0 status=0
for configuration in debug release; do
    for room in "${ROOMS[@]}"; do
        objects=(.build/$configuration/$room.build/*.o)
        [[ -e ${objects[0]} ]] || continue
        found=$(nm -- "${objects[@]}" | foreign_weak_symbols)
        if [[ -n $found ]]; then
            printf '%s, %s: weak symbols of other modules:\n%s\n' "$room" "$configuration" "$found" >&2
            status=1
        fi
        # A room without its flags would still compute the same, slowly.
        instruction=vfmadd
        [[ $room == *VNNI ]] && instruction=vpdpbusd
        if ! objdump -d -- "${objects[@]}" | grep -c $instruction >/dev/null; then
            echo "$room, $configuration: no $instruction; are its flags in Package.swift?" >&2
            status=1
        fi
        checked=$((checked + ${#objects[@]}))
    done
done
((checked > 0)) || {
    echo "kernel symbols: no objects; run swift build first" >&2
    exit 1
}
((status == 0)) && echo "kernel symbols: $checked objects, none with weak symbols of other modules"
exit "$status"
