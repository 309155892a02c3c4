#!/usr/bin/env python3
"""An agent that asks first, over MCP: what a model does with the tools, written out. Needs `mcp` 2.x.

    COUNTERSIGN_URL=http://localhost:8080 COUNTERSIGN_KEY=csn_agt_… python3 mcp_agent.py

Every call may be repeated: what creates something carries an idempotency_key, all else answers a
repetition like the first time. `MCP_MODE=legacy` speaks the protocol as it was before 2026-07-28.
"""
import asyncio, hashlib, json, os, sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = os.environ.get("COUNTERSIGN_URL", "http://localhost:8080").rstrip("/") + "/mcp"
BEARER = {"Authorization": "Bearer " + os.environ["COUNTERSIGN_KEY"]}
EXIT = {"denied": 10, "expired": 11, "withdrawn": 12, "revoked": 13, "lapsed": 14, "changes_requested": 15}


class Refused(Exception):
    """What a model reads in order to mend its call: code, detail, errors."""


async def act(client):
    async def call(tool, **arguments):
        result = await client.call_tool(tool, arguments)
        if result.is_error:
            raise Refused(result.content[0].text)
        return result.structured_content

    body = (await call("get_kind", name="vendor.key_extend"))["example"]  # yours has your parameters, evidence and plan
    note = await call("add_evidence", content="Two calls an hour, all from our own address.\n")
    body["evidence"].append(
        {"type": "note", "name": "note.txt", "media_type": "text/plain", "digest": note["digest"]}
    )

    # The same work is the same request, also when this program is started again: keep the key with it.
    # `validate_request` says before that what is wrong and who would be asked; of what is staged already, that it is.
    job = os.environ.get("JOB_ID", "by hand")
    key = hashlib.sha256(json.dumps([job, body], sort_keys=True).encode()).hexdigest()
    request = await call("stage_request", body=body, idempotency_key=key)
    print("staged:", request["review_url"], "code", request["binding_code"], flush=True)
    print("asked:", [need["group"] for need in request["requirements"]])

    while request["state"] == "pending":
        request = await call("wait_for_decision", id=request["id"])
    if request["state"] != "approved":
        objection = request.get("denial") or request.get("changes_requested") or {}
        print(request["state"], "-", objection.get("justification", request["next"]), file=sys.stderr)
        return EXIT.get(request["state"], 1)

    of = {"id": request["id"]}
    release = await call("redeem_release", **of, digest=request["digest"], idempotency_key=key)
    print("working with a release that is valid until", release["token_expires_at"])
    of["lease_id"] = release["lease_id"]
    # The action itself belongs here, with a heartbeat well before each `lease_until`.
    alive = await call("send_heartbeat", **of)
    status = "succeeded" if alive["signal"] == "continue" else "halted"
    request = await call("report_outcome", **of, status=status, summary="Extended by 7 days.")
    print("reported:", request["state"])
    return 0 if request["state"] == "succeeded" else 1


async def main():
    mode = os.environ.get("MCP_MODE", "auto")
    async with httpx2.AsyncClient(headers=BEARER, timeout=60) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode=mode) as client:
            try:
                return await act(client)
            except Refused as why:
                print(why, file=sys.stderr)
                return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
