#!/bin/sh
# Run by `countersign exec` when somebody halts the release.
set -eu
echo "Back to $1 $2"
