#!/bin/sh
# The agent's part of the first approval, with curl alone. With `cargo xtask demo` running:
#
#     COUNTERSIGN_KEY=csn_agt_… examples/first-approval.sh
#
# Open the address that it prints as the approver, approve, and it goes on.
set -eu
URL=${COUNTERSIGN_URL:-http://localhost:8080}
KIND=$URL/api/v1/kinds/vendor.key_extend

api() { curl --fail-with-body -sS -H "Authorization: Bearer $COUNTERSIGN_KEY" -H 'Content-Type: application/json' "$@"; }
# The text of a member of a JSON object, where no value has a quote in it.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# Every kind has an example that works as it is; it is the last member of the answer.
REQUEST=$(api "$KIND" | sed 's/.*"example":\({.*}\)}$/\1/' | api -H "Idempotency-Key: first-$$" -d @- "$URL/api/v1/requests") || {
    # A refusal says why and what to do: while the same action is open, it is not asked for again.
    echo "Not staged: $REQUEST" >&2
    exit 1
}
ID=$(echo "$REQUEST" | sed 's/^{"id":"\([^"]*\)".*/\1/')
DIGEST=$(echo "$REQUEST" | sed 's/.*[{,]"digest":"\(sha256:[^"]*\)".*/\1/')
echo "Staged. Decide here, as a person: $(echo "$REQUEST" | member review_url)"

STATE=pending
while [ "$STATE" = pending ]; do
    STATE=$(api -H 'Prefer: wait=25' "$URL/api/v1/requests/$ID" | member state)
done
echo "It is $STATE."
[ "$STATE" = approved ] || exit 1

LEASE=$(api -H 'Idempotency-Key: first' -d "{\"digest\":\"$DIGEST\"}" "$URL/api/v1/requests/$ID/redeem" | member lease_id)
echo "Redeemed. Here the action is carried out."

api -d "{\"lease_id\":\"$LEASE\",\"status\":\"succeeded\",\"summary\":\"Extended by 7 days.\"}" \
    "$URL/api/v1/requests/$ID/outcome" >/dev/null
echo "Reported. The whole story: $URL/requests/$ID"
