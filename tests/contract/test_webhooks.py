"""What customers are sent, read by public libraries of another language: standardwebhooks and cloudevents from PyPI."""

import json
import os
import sys
import tempfile
import threading
import unittest
import urllib.request

import cloudevents.http
import jsonschema_rs
from standardwebhooks import Webhook, WebhookVerificationError
from stack import Contractor, Receiver, detection, eventually, incident, request, zone

RELAY = os.path.join(os.path.dirname(__file__), "../../docs/examples/relay")
sys.path[:0] = [RELAY, os.path.join(RELAY, "../common")]

import fakes  # noqa: E402
from fieldwire import Fieldwire  # noqa: E402
from relay import Relay, server as serving  # noqa: E402
from state import State  # noqa: E402

PROJECT = "75d68ca1-0fc1-456a-bd9d-8b23875ac540"


class Webhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.contractor = Contractor()
        cls.contractor.send("zone.configured", zone())

    def endpoint(self, url, platform):
        # Without summaries: a day that is cut off meanwhile would be a message more.
        wanted = {"platform": platform, "name": platform, "url": url, "token": "T0ken", "min_priority": 1, "kinds": "all",
                  "daily_summary": False}
        made = self.contractor.make("/v1/webhook-endpoints", wanted, self.contractor.key)
        self.addCleanup(self.contractor.call, "DELETE", f"/v1/webhook-endpoints/{made['id']}", None, self.contractor.key)
        return made

    def test_each_message_is_signed_shaped_and_described_as_the_standards_say(self):
        receivers = {}
        for platform in ("own", "fieldwire", "trimble_connect"):
            receiver = Receiver()
            self.addCleanup(receiver.close)
            receivers[platform] = (receiver, self.endpoint(receiver.url, platform))
        self.contractor.send("detection.recorded", detection(1))
        self.contractor.send("incident.confirmed", incident(1))
        self.contractor.send("incident.updated", incident(1, revision=2))
        self.contractor.send("incident.retracted", {"incident_id": incident(1)["incident_id"], "revision": 3, "reason": "Entered twice"})
        schemas = {}
        for platform, (receiver, made) in receivers.items():
            webhook = Webhook(made["secret"])
            for kind in ("ping", "detection.recorded", "incident.confirmed", "incident.updated", "incident.retracted"):
                headers, body = eventually(f"{kind} at {platform}", lambda: receiver.of(kind))[0]
                lower = {name.lower(): value for name, value in headers.items()}
                self.assertEqual(webhook.verify(body, lower), json.loads(body))
                with self.assertRaises(WebhookVerificationError):
                    webhook.verify(body + b" ", lower)
                event = cloudevents.http.from_http(lower, body)
                self.assertEqual((event["specversion"], event["id"]), ("1.0", lower["webhook-id"]))
                self.assertEqual(event["datacontenttype"], "application/json")
                self.assertEqual(lower["authorization"], "Bearer T0ken")
                self.assertLessEqual(len(body), 20_000)
                self.assertNotIn(b"W-4711", body)
                name = event["dataschema"]
                if name not in schemas:
                    status, _, text = request("GET", self.contractor.api + name[name.index("/schemas/"):])
                    self.assertEqual(status, 200, name)
                    schemas[name] = jsonschema_rs.validator_for(json.loads(text), retriever=self.schema)
                schemas[name].validate(event.data)
                self.assertEqual("ready" in event.data, platform != "own" and kind != "ping")

    def schema(self, address):
        _, _, text = request("GET", self.contractor.api + address[address.index("/schemas/"):])
        return json.loads(text)

    def test_two_secrets_sign_while_one_is_rotated(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        made = self.endpoint(receiver.url, "own")
        eventually("a ping", lambda: receiver.of("ping"))
        at = f"/v1/webhook-endpoints/{made['id']}"
        rotated = self.contractor.make(f"{at}/rotate-secret", None, self.contractor.key)
        self.contractor.make(f"{at}/test", None, self.contractor.key)
        headers, body = receiver.of("ping")[-1]
        lower = {name.lower(): value for name, value in headers.items()}
        for secret in (made["secret"], rotated["secret"]):
            Webhook(secret).verify(body, lower)

    def test_the_sample_in_the_guide_reads_a_message(self):
        with open(os.path.join(RELAY, "../../guides/relay.md"), encoding="utf-8") as guide:
            sample = guide.read().split("```python\n")[1].split("```")[0]
        names = {}
        exec(sample, names)  # pylint: disable=exec-used
        receiver = Receiver()
        self.addCleanup(receiver.close)
        made = self.endpoint(receiver.url, "fieldwire")
        self.contractor.send("detection.recorded", detection(3))
        headers, body = eventually("a message", lambda: receiver.of("detection.recorded"))[0]
        message, kind, ready = names["taken"](made["secret"], {name.lower(): value for name, value in headers.items()}, body)
        self.assertEqual((message, kind), (headers["webhook-id"], "com.hardhatpulse.detection.recorded.v1"))
        self.assertEqual(ready["category"], "Safety")

    def test_the_relay_of_the_guide_makes_one_task_of_a_detection(self):
        fake = fakes.FakeFieldwire("api-token", PROJECT)
        self.addCleanup(fake.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        state = State(os.path.join(folder.name, "relay.sqlite"))
        self.addCleanup(state.db.close)
        relay = Relay([], Fieldwire(state, "api-token", PROJECT, "7", fake.url, fake.url), state, "T0ken")
        server = serving(("127.0.0.1", 0), relay)
        server.RequestHandlerClass.log_message = lambda *_: None
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = self.endpoint(f"http://127.0.0.1:{server.server_address[1]}/", "fieldwire")
        relay.secrets.append(made["secret"])
        tested = self.contractor.make(f"/v1/webhook-endpoints/{made['id']}/test", None, self.contractor.key)
        self.assertEqual((tested["delivered"], tested["response_excerpt"]), (True, "the relay is there, and the signature is right"))
        self.contractor.send("detection.recorded", detection(2))
        [task] = eventually("a task", lambda: fake.tasks)
        [bubble] = eventually("its comment", lambda: fake.bubbles)
        self.assertIn("Crane 2", task["name"])
        self.assertIn("/detections/", bubble["content"])


if __name__ == "__main__":
    unittest.main()
