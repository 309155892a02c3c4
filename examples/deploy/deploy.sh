#!/bin/sh
# What the gate lets through. Put your own deployment here; it runs from a sealed copy of what was
# approved, so its own place is in COUNTERSIGN_EXECUTABLE and not in $0.
set -eu
cd "$(dirname "${COUNTERSIGN_EXECUTABLE:-$0}")"
# Whoever starts this without an approval has no token.
: "${COUNTERSIGN_RELEASE_TOKEN:?this is released by countersign exec}"
echo "Release $1 $2, as request $COUNTERSIGN_REQUEST_ID allows"
