#!/bin/sh
# Installs what the project needs. Usage: scripts/setup.sh venv|tools
#
#   venv   .venv with everything in uv.lock; nothing is written outside of this folder
#   tools  the programs that the tests drive: sipp, redis-server
#
# Debian packages are installed when this is root or sudo is there (it may ask for a password on a terminal); their
# daemons are not started. Otherwise the command names what is missing and stops. A second run finds everything there and needs no network.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "setup: $*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null 2>&1 || return 1
    sudo -n true 2>/dev/null || [ -t 0 ]
}

# Install Debian packages without starting or enabling what they bring.
apt_install() {
    advice="please install: $* (Debian, Ubuntu: apt-get install $*), then run this again"
    may_install || die "$advice"
    say "installing $*"
    as_root env DEBIAN_FRONTEND=noninteractive sh -eu -c '
        policy=/usr/sbin/policy-rc.d
        restore() {
            rm -f "$policy"
            if [ -e "$policy.before-setup" ]; then mv "$policy.before-setup" "$policy"; fi
        }
        trap restore EXIT
        trap "exit 130" INT TERM
        if [ -e "$policy" ]; then mv "$policy" "$policy.before-setup"; fi
        printf "#!/bin/sh\nexit 101\n" >"$policy"
        chmod 755 "$policy"
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends "$@" >/dev/null
        case " $* " in
        *" redis-server "*) [ ! -d /run/systemd/system ] || systemctl disable --quiet redis-server || true ;;
        esac
    ' apt "$@" || die "that failed; $advice"
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed, found: $(python3 --version 2>&1 || echo none)"
}

# What .venv was made from: when this is unchanged there is nothing to do.
fingerprint() {
    { cat uv.lock pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml scripts/setup.sh; pwd; } | cksum
}

setup_venv() {
    stamp=.venv/.setup
    if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ]; then
        return
    fi
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        python=$(find_python)
        if ! "$python" -c 'import ensurepip' 2>/dev/null; then
            apt_install "$(basename "$python")-venv"
        fi
        say "creating .venv with $("$python" --version)"
        "$python" -m venv --clear .venv
    fi
    uv=$(sed -n '/^name = "uv"$/{n;s/^version = "\(.*\)"$/\1/p;}' uv.lock)
    if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$uv" ]; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv"
    fi
    sync_environment
    fingerprint >"$stamp"
}

# uv takes exactly the files that the lock names. Where those hosts are out of reach but pip has a mirror, pip
# installs the same versions.
sync_environment() {
    export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true
    if .venv/bin/uv sync --quiet --frozen --inexact --all-packages --python .venv/bin/python; then
        return
    fi
    say "uv could not fetch the locked files, trying pip"
    .venv/bin/uv export --quiet --frozen --all-packages --no-hashes --output-file .venv/requirements.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r .venv/requirements.txt
}

setup_tools() {
    missing=
    command -v sipp >/dev/null 2>&1 || missing="$missing sip-tester"
    command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
    # Unquoted: a list of words.
    # shellcheck disable=SC2086
    [ -z "$missing" ] || apt_install $missing
}

case "${1:-}" in
venv) setup_venv ;;
tools) setup_tools ;;
*) die "usage: scripts/setup.sh venv|tools" ;;
esac
