#!/bin/sh
# A pipeline whose one dangerous step waits for people. With `cargo xtask demo` running, and the
# executor's key that it printed:
#
#     COUNTERSIGN_KEY=csn_agt_… examples/pipeline.sh checkout 4.12.0 4.11.3
#
# Whatever becomes of it is the exit code: 0 it went well, 10 denied, 11 nobody decided in time,
# 16 somebody halted it; the whole list is in docs/agents.md. When this is killed or its machine
# restarts, the same line goes on where it was.
set -eu
SERVICE=$1 VERSION=$2 PREVIOUS=$3
cd "$(dirname "$0")/deploy"

# What the steps before have left, as evidence. The name of each file is its type.
mkdir -p evidence
echo "1377 tests, 0 failed, of $SERVICE $VERSION" >evidence/test_summary.txt
echo "12005 requests to the canary, 1 answered with 5xx" >evidence/canary_metrics.txt
echo "No migration is pending; one cluster, rolling, 5 minutes between two steps." >evidence/plan.txt

exec countersign exec \
    --kind deploy.release \
    --param service="$SERVICE" \
    --param version="$VERSION" \
    --param previous_version="$PREVIOUS" \
    --environment "${ENVIRONMENT:-staging}" \
    --target "$SERVICE" \
    --summary "Release $SERVICE $VERSION in place of $PREVIOUS" \
    --justification "All tests passed, and the canary is as good as what runs." \
    --evidence evidence/test_summary.txt \
    --evidence evidence/canary_metrics.txt \
    --evidence evidence/plan.txt \
    --rollback rollback.md \
    --rollback-exec "./rollback.sh $SERVICE $PREVIOUS" \
    -- ./deploy.sh "$SERVICE" "$VERSION"
