#!/bin/sh
# Makes .venv hold what a lock names: `install.sh run` for `make up`, `install.sh ha` for the tiers with three
# Postgres nodes, `install.sh dev` for `make test`. Each of them holds all of the one before, at the same versions.
#
# Uses uv where it is on the path, else the pip of this machine; needs neither python3-venv nor ensurepip.
# Nothing is done where the same lock was installed before: .venv/ringback-lock keeps its checksum.
set -eu

what=$1
case $what in
run) lock=requirements.lock ;;
ha) lock=requirements-ha.lock ;;
dev) lock=requirements-dev.lock ;;
*) echo "install.sh: run, ha or dev, not $what" >&2; exit 2 ;;
esac

stop() { echo "ringback: $1" >&2; exit 2; }

sum() { cksum <"$1" | tr ' ' '-'; }

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; }

find_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
        if fits "$name"; then command -v "$name"; return; fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ]; then
        [ -n "$uv" ] || stop "Python 3.11 to 3.14 is needed: install python3 with your package manager, or uv."
        uv venv --quiet --clear --python '>=3.11,<3.15' .venv
        return
    fi
    rm -rf .venv
    "$python" -m venv --without-pip .venv || stop "$python cannot make a virtual environment: install python3-venv, or uv."
}

# Which pip installs into .venv: the machine's own (22.3 and later can serve another environment), a newer
# one that it fetches, or the one that comes with Python.
install_with_pip() {
    python=$(find_python)
    if "$python" -m pip --python .venv/bin/python --version >/dev/null 2>&1; then
        "$python" -m pip --python .venv/bin/python install "$@"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        rm -rf .venv/pip
        "$python" -m pip download --quiet --no-deps --dest .venv/pip pip
        .venv/bin/python "$(ls .venv/pip/pip-*.whl)/pip" install "$@"
    elif .venv/bin/python -m ensurepip >/dev/null 2>&1; then
        .venv/bin/python -m pip install "$@"
    else
        stop "pip is missing: install python3-pip with your package manager, or uv, then try again."
    fi
}

[ -f "$lock" ] || stop "$lock is missing: this clone is not whole."
if fits .venv/bin/python && grep -qs "^$what:$(sum "$lock")\$" .venv/ringback-lock; then
    exit 0
fi

uv=$(command -v uv || true)
fits .venv/bin/python || make_venv
echo "ringback: installing what $lock names into .venv …"
if [ -n "$uv" ]; then
    VIRTUAL_ENV='' uv pip install --quiet --python .venv/bin/python --require-hashes --requirement "$lock"
else
    PIP_DISABLE_PIP_VERSION_CHECK=1 install_with_pip --quiet --require-hashes --requirement "$lock"
fi || stop "The packages could not be installed: look at the message above (is the network there?), then try again."

{
    echo "run:$(sum requirements.lock)"
    if [ "$what" != run ]; then echo "ha:$(sum requirements-ha.lock)"; fi
    if [ "$what" = dev ]; then echo "dev:$(sum requirements-dev.lock)"; fi
} >.venv/ringback-lock
echo "ringback: installed"
