#!/usr/bin/env python3
"""An agent that asks first: stages, waits, redeems, works, reports. Needs `requests` and nothing else.

    COUNTERSIGN_URL=http://localhost:8080 COUNTERSIGN_KEY=csn_agt_… python3 agent.py

Every call may be repeated: what creates something carries an Idempotency-Key, all else answers a
repetition like the first time. So there is one place that sends, and it tries again.
"""
import hashlib, json, os, sys, threading, time

import requests

URL = os.environ.get("COUNTERSIGN_URL", "http://localhost:8080").rstrip("/")
SESSION = requests.Session()
SESSION.headers["Authorization"] = "Bearer " + os.environ["COUNTERSIGN_KEY"]
EXIT = {"denied": 10, "expired": 11, "withdrawn": 12, "revoked": 13, "lapsed": 14, "changes_requested": 15}


def call(method, path, patience=300, **options):
    """Sends until it is answered, or the server has been away for `patience` seconds."""
    end, pause = time.monotonic() + patience, 0.5
    while True:
        try:
            answer = SESSION.request(method, URL + path, timeout=60, allow_redirects=False, **options)
            if answer.status_code not in (429, 502, 503, 504):
                break
            wait = float(answer.headers.get("Retry-After", pause))
        except requests.RequestException:
            wait = pause
        if time.monotonic() + wait > end:
            sys.exit(f"{URL} is away")
        time.sleep(wait)
        pause = min(pause * 2, 15)
    if answer.status_code >= 400:  # application/problem+json: what is wrong, and what to do
        problem = answer.json()
        for error in problem.get("errors", []):
            print(f"  {error['pointer']}: {error['detail']} {error.get('limit', '')}", file=sys.stderr)
        sys.exit(f"{problem['code']}: {problem['detail']}")
    return answer


def stage(body, key):
    return call("POST", "/api/v1/requests", json=body, headers={"Idempotency-Key": key}).json()


def decided(request):
    """Waits in calls of 25 seconds, so that no proxy cuts them off; a restart of the server is no end."""
    path, etag = f"/api/v1/requests/{request['id']}", None
    while request["state"] == "pending":
        headers = {"Prefer": "wait=25", **({"If-None-Match": etag} if etag else {})}
        answer = call("GET", path, headers=headers)
        if answer.status_code != 304:
            request, etag = answer.json(), answer.headers["ETag"]
    return request


def redeem(request, key):
    path = f"/api/v1/requests/{request['id']}/redeem"
    return call("POST", path, json={"digest": request["digest"]}, headers={"Idempotency-Key": key}).json()


def heartbeats(request, release, halt, done):
    """Says that we live; on `halt`, or where nothing is said to us any more, the work has to stop."""
    path = f"/api/v1/requests/{request['id']}/heartbeat"
    while not done.wait(30):
        try:
            signal = call("POST", path, json={"lease_id": release["lease_id"]}).json()["signal"]
        except SystemExit as why:
            signal = str(why)
        if signal != "continue":
            return halt.set()


def work(release, halt):
    """The action itself. The release token proves the approval to whatever system carries it out."""
    print("working with a release that is valid until", release["token_expires_at"])
    return "halted" if halt.is_set() else "succeeded"


def main():
    kind = call("GET", "/api/v1/kinds/vendor.key_extend").json()
    body = kind["example"]  # a complete stage body; yours has your parameters, evidence and plan
    note = call("POST", "/api/v1/evidence", data="Two calls an hour, all from our own address.\n".encode())
    body["evidence"].append(
        {"type": "note", "name": "note.txt", "media_type": "text/plain", "digest": note.json()["digest"]}
    )
    # The same work is the same request, also when this program is started again: keep the key with it.
    job = os.environ.get("JOB_ID", "by hand")
    key = hashlib.sha256(json.dumps([job, body], sort_keys=True).encode()).hexdigest()

    request = stage(body, key)
    print("staged:", request["review_url"], "code", request["binding_code"], flush=True)
    request = decided(request)
    if request["state"] != "approved":
        objection = request.get("denial") or request.get("changes_requested") or {}
        print(request["state"], "-", objection.get("justification", request["next"]), file=sys.stderr)
        return EXIT.get(request["state"], 1)

    release = redeem(request, key)
    halt, done = threading.Event(), threading.Event()
    threading.Thread(target=heartbeats, args=(request, release, halt, done), daemon=True).start()
    status = work(release, halt)
    done.set()
    report = {"lease_id": release["lease_id"], "status": status, "summary": "Extended by 7 days."}
    request = call("POST", f"/api/v1/requests/{request['id']}/outcome", json=report).json()
    print("reported:", request["state"])
    return 0 if request["state"] == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
