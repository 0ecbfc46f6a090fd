#!/bin/sh
# Serve the demo shop on a free port and draw the README's picture from it.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
.venv/bin/cartwheel demo --folder demo-shop --port 0 2>"$log" &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$log"' EXIT
for _ in $(seq 600); do
	link=$(grep -o 'http://[^ ]*sign-in?token=[^ ]*' "$log" || true)
	[ -n "$link" ] && break
	kill -0 "$server" || { cat "$log"; exit 1; }
	sleep 0.5
done
# The link is printed just before the server answers.
for _ in $(seq 100); do
	.venv/bin/python -c "import sys, urllib.request as u; u.urlopen(sys.argv[1])" \
		"${link%%/sign-in*}/healthz" 2>/dev/null && break
	sleep 0.2
done
mkdir -p docs/images
.venv/bin/python scripts/screenshot.py "$link" docs/images/overview.png
