#!/usr/bin/env bash
# Install what Martlet needs and does not find: Debian packages and the Swift packages it depends on.
#
# Safe to run again: what is there is left alone. Swift itself (6.2 or later) is not installed, only asked for.
# MARTLET_SKIP_SYSTEM_PACKAGES=1 leaves system packages to you, for systems without apt.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# Swift 6.2 brought the manifest version and the standard library that the package is written against.
check_swift() {
    command -v swift >/dev/null 2>&1 || fail "Swift was not found." \
        "Install Swift 6.2 or later from https://www.swift.org/install/linux/ and put its usr/bin on PATH."
    local text major minor
    text=$(swift --version 2>&1) || fail "'swift --version' failed:" "$text"
    if [[ ! $text =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]]; then
        fail "the version of Swift could not be read from:" "$text"
    fi
    major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    if ((major < 6 || (major == 6 && minor < 2))); then
        fail "Swift $major.$minor is too old: Martlet needs 6.2 or later." \
            "Install it from https://www.swift.org/install/linux/ and put its usr/bin first on PATH."
    fi
    say "Swift $major.$minor"
}

# Libraries Martlet links against; the demo's images; the ONNX operator tests; Python for tables, lints and oracles;
# what reads object files and what emulates older processors, for tests; git and certificates for the Swift packages.
PACKAGES=(
    libopenblas-dev libpng-dev libjpeg-dev zlib1g-dev
    dataset-fashion-mnist
    libonnx-testdata
    python3 python3-venv
    binutils qemu-user
    git ca-certificates
)

missing_packages() {
    local package
    for package in "${PACKAGES[@]}"; do
        # No pipe into grep -q here: under pipefail the writer's broken pipe would read as "missing".
        if [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) != "install ok installed" ]]; then
            printf '%s\n' "$package"
        fi
    done
}

as_root() {
    if ((EUID == 0)); then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

apt_install() {
    as_root apt-get -o DPkg::Lock::Timeout=300 -qq -y --no-install-recommends install "${missing[@]}" </dev/null
}

check_system_packages() {
    if [[ ${MARTLET_SKIP_SYSTEM_PACKAGES:-0} == 1 ]]; then
        say "system packages: left to you (MARTLET_SKIP_SYSTEM_PACKAGES=1)"
        return
    fi
    if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
        fail "this is not a Debian-like system: apt-get was not found." \
            "Install the equivalents of: ${PACKAGES[*]}" \
            "and run again with MARTLET_SKIP_SYSTEM_PACKAGES=1."
    fi
    local missing
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        say "system packages: all there"
        return
    fi
    if ((EUID != 0)) && ! command -v sudo >/dev/null 2>&1; then
        fail "installing packages needs root, and sudo was not found. Run as root:" "apt-get install ${missing[*]}"
    fi
    say "system packages: installing ${missing[*]}"
    # A package list may be absent (a fresh container) or stale: refresh it only if the plain installation fails.
    local log
    log=$(mktemp)
    if ! apt_install >"$log" 2>&1; then
        if ! { as_root apt-get -o DPkg::Lock::Timeout=300 -qq update </dev/null && apt_install; } >"$log" 2>&1; then
            cat "$log" >&2
            rm -f "$log"
            fail "apt-get could not install ${missing[*]} (its output is above)."
        fi
    fi
    rm -f "$log"
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} == 0)) || fail "still missing after installation: ${missing[*]}"
}

# The Swift packages come over the network, which deserves a second chance.
resolve_swift_packages() {
    local attempt
    for attempt in 1 2 3; do
        if swift package resolve; then
            return
        fi
        say "resolving the Swift packages failed (attempt $attempt of 3)"
        if ((attempt < 3)); then sleep $((attempt * 5)); fi
    done
    fail "the Swift packages could not be fetched; see the messages above."
}

check_swift
check_system_packages
resolve_swift_packages
