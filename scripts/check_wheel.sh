#!/bin/sh
# Build the wheel and start it in a bare environment made from the lock file.
set -eu
python=${1:-python3}
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m pip wheel -q --disable-pip-version-check --no-deps -w "$work" "$top"
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$top/requirements.lock"
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-deps "$work"/cartwheel-*.whl
cd "$work"
venv/bin/cartwheel --help >/dev/null
venv/bin/cartwheel init shop --currency EUR --timezone UTC
venv/bin/cartwheel wheel --shop shop --json >/dev/null
venv/bin/cartwheel status --shop shop
test -f venv/lib/python*/site-packages/cartwheel/console/static/console.css
echo "the wheel builds and starts"
