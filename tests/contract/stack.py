"""A contractor on a running stack, made and fed through the public interfaces alone; `HHP_STACK` names its stack.json."""

import datetime
import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

SOON_SECONDS = 45


def eventually(what, look):
    since = time.monotonic()
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() - since < SOON_SECONDS, f"no {what} within {SOON_SECONDS} s"
        time.sleep(0.05)


def request(method, url, headers=None, body=None):
    """Status, headers and bytes, whatever the status."""
    asked = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


class Contractor:
    def __init__(self):
        with open(os.environ["HHP_STACK"], encoding="utf-8") as file:
            stack = json.load(file)
        self.api, self.operator_key = stack["api_url"], stack["operator_key"]
        self.organization = self.make("/v1/organizations", {"name": "Contract tests"})["id"]
        site = {"name": "Tower", "time_zone": "America/Chicago"}
        self.site = self.make(f"/v1/organizations/{self.organization}/sites", site)["id"]
        self.edge = self.make(f"/v1/sites/{self.site}/edges", {"name": "Rack"})
        self.key = self.new_key()

    def new_key(self):
        scopes = ["read", "treatment:write", "webhooks:write", "connections:write"]
        key = {"name": "Contract tests", "scopes": scopes}
        return self.make(f"/v1/organizations/{self.organization}/api-keys", key)["key"]

    def call(self, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {key or self.operator_key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        status, _, text = request(method, self.api + path, headers, data)
        assert 200 <= status < 300, f"{method} {path}: {status} {text!r}"
        return json.loads(text) if text else None

    def make(self, path, body, key=None):
        return self.call("POST", path, body, key)

    def send(self, kind, data):
        """One event of the edge, signed by the public library."""
        now = datetime.datetime.now(datetime.timezone.utc)
        event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": f"/edges/{self.edge['id']}", "subject": self.site,
                 "time": now.isoformat().replace("+00:00", "Z"), "type": f"com.hardhatpulse.{kind}.v1", "data": data}
        body, message = json.dumps([event]), f"msg_{uuid.uuid4().hex}"
        headers = {
            "Content-Type": "application/cloudevents-batch+json", "hhp-edge-id": self.edge["id"], "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.edge["secret"]).sign(message, now, body),
        }
        status, _, text = request("POST", f"{self.api}/v1/edge/events", headers, body.encode())
        assert status == 202 and json.loads(text)["accepted"] == 1, f"{status} {text!r}"


AT = "2026-11-24T16:00:00Z"
WORKER = {"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"}


def zone():
    return {"zone_id": "crane-2", "revision": 1, "name": "Crane 2", "kind": "crane", "required_ppe": ["hard_hat"], "active": True}


def detection(number):
    return {"detection_id": f"01JD{number:022}", "detected_at": AT, "kind": "zone_breach", "priority": 4, "zone_id": "crane-2",
            "camera_id": "cam-7", "worker": WORKER, "frame": {"captured_at": AT, "index": 12}}


def incident(number, revision=1):
    return {"incident_id": f"01JE{number:022}", "revision": revision, "occurred_at": AT, "confirmed_at": AT, "recordable": True,
            "incident_type": "struck_by", "classification": "injury", "osha_log": {"year": 2026, "case_number": "17"},
            "zone_id": "crane-2", "worker": WORKER, "detection_ids": []}


class Receiver:
    """A customer's own, which keeps each request as it came."""

    def __init__(self):
        self.got, receiver = [], self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, kind):
        return [(headers, body) for headers, body in list(self.got) if json.loads(body)["type"] == f"com.hardhatpulse.{kind}.v1"]
