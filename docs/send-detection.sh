#!/usr/bin/env bash
# Sends one signed detection to a running `cargo xtask local`, as an edge server would (contracts: Standard Webhooks).
# Usage: bash docs/send-detection.sh [path of stack.json]
set -euo pipefail
stack=${1:-.local/stack.json}
get() { python3 -c "import json,functools; print(functools.reduce(lambda v, k: v[k], '$1'.split('.'), json.load(open('$stack'))))"; }
url=$(get api_url); edge=$(get demo.edge.id); secret=$(get demo.edge.secret); site=$(get demo.site_id)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ); id=msg_$(date +%s); ts=$(date +%s)
# A ULID of now: 48 bits of milliseconds and 80 of chance, in Crockford's base 32.
detection=$(python3 -c "import secrets, time
n = int(time.time() * 1000) << 80 | secrets.randbits(80)
print(''.join('0123456789ABCDEFGHJKMNPQRSTVWXYZ'[n >> s & 31] for s in range(125, -1, -5)))")
body=$(cat <<JSON
{"specversion":"1.0","id":"$id","source":"/edges/$edge","subject":"$site","time":"$now",
 "type":"com.hardhatpulse.detection.recorded.v1",
 "data":{"detection_id":"$detection","detected_at":"$now","kind":"zone_breach","priority":5,
         "zone_id":"gate-7","camera_id":"cam-01","frame":{"captured_at":"$now"}}}
JSON
)
key=$(printf %s "${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
signature=$(printf %s "$id.$ts.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
curl -sS "$url/v1/edge/events" -H 'content-type: application/cloudevents+json' -H "hhp-edge-id: $edge" \
  -H "webhook-id: $id" -H "webhook-timestamp: $ts" -H "webhook-signature: v1,$signature" --data-binary "$body"
echo
