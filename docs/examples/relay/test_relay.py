"""The relay between HardHat Pulse and both platforms: python3 -m unittest, in this folder."""

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import sys
import tempfile
import threading
import time
import unittest
import uuid
import urllib.error
import urllib.request

sys.path[:0] = [os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "../common")]

from calls import Refused  # noqa: E402
from fake_server import Answer  # noqa: E402
from fakes import FakeFieldwire, FakeTrimble  # noqa: E402
from fieldwire import Fieldwire  # noqa: E402
from relay import Relay, server  # noqa: E402
from signature import NotOurs, verify  # noqa: E402
from state import State  # noqa: E402
from trimble import Trimble  # noqa: E402

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PROJECT = "75d68ca1-0fc1-456a-bd9d-8b23875ac540"
NAME = "Zone breach - Crane 2 [HHP-7F3K9Q2M]"
FIELDWIRE = {"category": "Safety", "task": {"name": NAME, "priority": 1}, "bubble": {"kind": 1, "content": "Seen by cam-7"}}
TRIMBLE = {
    "topic": {"guid": "b1946ac9-2493-8dc8-90d3-3c5f6b1a4a11", "title": NAME, "description": "Seen by cam-7", "topic_type": "Issue",
              "topic_status": "Open", "priority": "Critical", "labels": ["Safety", "Cranes"],
              "reference_links": ["https://pulse.example.com/detections/1"]},
    "comment": {"comment": "HardHat Pulse: https://pulse.example.com/detections/1"},
}


def event(ready, kind="detection.recorded", detection="01JD0000000000000000000001", site="site_1", revision=None):
    data = {"detection_id": detection, "title": NAME, "ready": ready}
    if revision is not None:
        data["revision"] = revision
    return json.dumps({"specversion": "1.0", "id": "x", "source": "/x", "subject": site, "type": f"com.hardhatpulse.{kind}.v1",
                       "data": data}).encode()


def signed(message_id, body, secret=SECRET, at=None):
    stamp = str(int(at or time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, b".".join([message_id.encode(), stamp.encode(), body]), hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature, "authorization": "Bearer T0ken"}


class Signatures(unittest.TestCase):
    def test_the_standards_own_example(self):
        body = b'{"email":"test@example.com","username":"test_user"}'
        headers = {"webhook-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "webhook-timestamp": "1649367553",
                   "webhook-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="}
        self.assertEqual(verify([SECRET], headers, body, 1649367553), headers["webhook-id"])
        other = "whsec_" + base64.b64encode(b"x" * 24).decode()
        self.assertEqual(verify([other, SECRET], headers, body, 1649367553 + 299), headers["webhook-id"])
        for secrets, change, content, now in [
            ([other], {}, body, 1649367553),
            ([SECRET], {}, body + b" ", 1649367553),
            ([SECRET], {}, body, 1649367553 + 301),
            ([SECRET], {"webhook-id": "msg_2"}, body, 1649367553),
            ([SECRET], {"webhook-signature": "v1,%%%"}, body, 1649367553),
            ([SECRET], {"webhook-signature": ""}, body, 1649367553),
            ([SECRET], {"webhook-timestamp": "soon"}, body, 1649367553),
        ]:
            with self.assertRaises(NotOurs):
                verify(secrets, {**headers, **change}, content, now)


class Guides(unittest.TestCase):
    def test_each_variable_that_a_guide_names_is_read_and_no_other(self):
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "relay.py"), encoding="utf-8") as program:
            read = set(re.findall(r"\b(?:RELAY|FIELDWIRE|TRIMBLE)_[A-Z_]+", program.read()))
        named = {}
        for guide in ("README.md", "../../guides/relay.md", "../../guides/fieldwire.md", "../../guides/trimble-connect.md"):
            with open(os.path.join(here, guide), encoding="utf-8") as text:
                named[guide] = set(re.findall(r"\b(?:RELAY|FIELDWIRE|TRIMBLE)_[A-Z_]+", text.read()))
            self.assertLessEqual(named[guide], read, guide)
        self.assertEqual(named["README.md"], read)


class Running(unittest.TestCase):
    """A relay on a port, as HardHat Pulse reaches it."""

    def start(self, make):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        state = State(os.path.join(self.folder.name, "relay.sqlite"))
        self.addCleanup(state.db.close)
        self.platform = make(state)
        self.server = server(("127.0.0.1", 0), Relay([SECRET], self.platform, state, "T0ken"))
        self.server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def post(self, message_id, body, **change):
        headers = {**signed(message_id, body), **change}
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.server_address[1]}/", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers


class ToFieldwire(Running):
    def setUp(self):
        self.fake = FakeFieldwire("api-token", PROJECT)
        self.addCleanup(self.fake.close)
        self.start(lambda state: Fieldwire(state, "api-token", PROJECT, "55211", self.fake.url, self.fake.url))

    def test_a_detection_becomes_one_task_of_the_team_safety_with_a_comment(self):
        for _ in range(2):
            status, words, _ = self.post("msg_1", event(FIELDWIRE))
            self.assertEqual(status, 200, words)
        [task], [bubble], [team] = self.fake.tasks, self.fake.bubbles, self.fake.teams
        self.assertEqual((task["name"], task["priority"], task["team_id"], team["name"]), (NAME, 1, team["id"], "Safety"))
        self.assertEqual((bubble["task_id"], bubble["content"]), (task["id"], "Seen by cam-7"))

    def test_a_task_without_a_name_is_nobodys_trouble(self):
        self.fake.tasks.append({"id": str(uuid.uuid4()), "name": None, "sequence_number": 1, "deleted_at": None})
        self.fake.faults.append(("POST", "/tasks", None))
        self.assertEqual(self.post("msg_1", event(FIELDWIRE))[0], 503)
        self.assertEqual(self.post("msg_1", event(FIELDWIRE))[0], 200)
        self.assertEqual([task["name"] for task in self.fake.tasks], [None, NAME])

    def test_later_news_is_a_comment_on_the_same_task(self):
        self.post("msg_1", event(FIELDWIRE))
        later = {**FIELDWIRE, "bubble": {"kind": 1, "content": "Retracted"}}
        self.assertEqual(self.post("msg_2", event(later))[0], 200)
        self.post("msg_3", event(FIELDWIRE, detection="01JD0000000000000000000002"))
        self.assertEqual([bubble["content"] for bubble in self.fake.bubbles], ["Seen by cam-7", "Retracted", "Seen by cam-7"])
        self.assertEqual((len(self.fake.tasks), len(self.fake.teams)), (2, 1))

    def test_what_was_tried_again_says_that_it_is_older(self):
        retracted = {**FIELDWIRE, "bubble": {"kind": 1, "content": "Retracted"}}
        self.post("msg_3", event(retracted, revision=3))
        self.fake.faults.append(("POST", "/bubbles", None))
        self.assertEqual([self.post("msg_2", event(FIELDWIRE, revision=2))[0] for _ in range(2)], [503, 200])
        self.post("msg_9", event({**FIELDWIRE, "bubble": {"kind": 1, "content": "Stands again"}}, revision=9))
        late = "Came late, and says what was before: Seen by cam-7"
        self.assertEqual([bubble["content"] for bubble in self.fake.bubbles], ["Retracted", late, "Stands again"])

    def test_an_answer_that_was_lost_makes_no_second_task(self):
        for number in range(5):
            self.post(f"msg_before_{number}", event({**FIELDWIRE, "task": {"name": f"Other {number}", "priority": 3}}, detection=f"d{number}"))
        self.fake.faults.append(("POST", "/tasks", None))
        status, words, headers = self.post("msg_1", event(FIELDWIRE))
        self.assertEqual((status, headers["Retry-After"]), (503, "60"), words)
        self.assertEqual(self.post("msg_1", event(FIELDWIRE))[0], 200)
        self.assertEqual(sum(task["name"] == NAME for task in self.fake.tasks), 1)
        # Nor does a comment whose answer was lost come twice.
        self.fake.faults.append(("POST", "/bubbles", None))
        later = event({**FIELDWIRE, "bubble": {"kind": 1, "content": "Retracted"}})
        self.assertEqual([self.post("msg_2", later)[0], self.post("msg_2", later)[0]], [503, 200])
        self.assertEqual(sum(bubble["content"] == "Retracted" for bubble in self.fake.bubbles), 1)

    def test_a_task_whose_answer_was_lost_is_known_by_its_marker_whatever_its_name_has_become(self):
        for number, (first, then, renamed) in enumerate([
            (NAME, f"Retracted: {NAME}", None),
            (NAME.replace("2M]", "2N]"), "Fall - Tower crane [HHP-7F3K9Q2N]", None),
            (NAME.replace("2M]", "2P]"), NAME.replace("2M]", "2P]"), "Done: [HHP-7F3K9Q2P] (Ana)"),
        ]):
            self.fake.faults.append(("POST", "/tasks", None))
            about = f"d{number}"
            made = event({**FIELDWIRE, "task": {"name": first, "priority": 1}}, detection=about)
            self.assertEqual(self.post(f"msg_{number}", made)[0], 503)
            if renamed:
                self.fake.tasks[-1]["name"] = renamed
            later = event({**FIELDWIRE, "task": {"name": then, "priority": 3}}, detection=about)
            self.assertEqual(self.post(f"msg_{number}_later", later)[0], 200)
            self.assertEqual(len(self.fake.tasks), number + 1, [task["name"] for task in self.fake.tasks])

    def test_two_messages_about_one_event_at_once_make_one_task(self):
        route, held, go_on = self.fake.route, threading.Event(), threading.Event()

        def slow(method, path, *rest):
            if method == "POST" and path.endswith("/tasks") and not held.is_set():
                held.set()
                go_on.wait(10)
            return route(method, path, *rest)

        self.fake.route = slow
        posts = [threading.Thread(target=self.post, args=(message_id, event(FIELDWIRE))) for message_id in ("msg_1", "msg_2")]
        posts[0].start()
        self.assertTrue(held.wait(10))
        posts[1].start()
        # Had it no turn to wait for, it would be done by then.
        posts[1].join(1)
        go_on.set()
        for post in posts:
            post.join()
        self.assertEqual((len(self.fake.tasks), len(self.fake.bubbles)), (1, 1))

    def test_the_same_id_on_another_site_is_another_event(self):
        self.post("msg_1", event(FIELDWIRE))
        self.post("msg_2", event({**FIELDWIRE, "task": {"name": "Fall [HHP-7F3K9Q2N]", "priority": 1}}, site="site_2"))
        self.assertEqual(len(self.fake.tasks), 2)

    def test_who_sends_nothing_holds_up_nobody_and_is_hung_up_on(self):
        self.server.RequestHandlerClass.timeout = 2
        silent = [socket.create_connection(self.server.server_address, timeout=10) for _ in range(3)]
        for each, begun in zip(silent, [b"", b"POST / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]):
            self.addCleanup(each.close)
            each.sendall(begun)
        began = time.monotonic()
        self.assertEqual(self.post("msg_1", event(FIELDWIRE))[0], 200)
        self.assertLess(time.monotonic() - began, 1.5)
        for each in silent:
            self.assertEqual(each.recv(1), b"")

    def test_a_task_that_was_refused_or_slowed_down_is_made_later(self):
        self.fake.faults.append(("POST", "/tasks", Answer(429, None, Retry_After="7")))
        status, _, headers = self.post("msg_1", event(FIELDWIRE))
        self.assertEqual((status, headers["Retry-After"]), (503, "7"))
        self.fake.faults.append(("POST", "/tasks", Answer(403, {"errors": ["API access is not part of your plan"]})))
        status, words, _ = self.post("msg_1", event(FIELDWIRE))
        self.assertEqual(status, 422)
        self.assertIn("API access is not part of your plan", words)
        self.assertEqual(self.post("msg_1", event(FIELDWIRE))[0], 200)
        self.assertEqual(len(self.fake.tasks), 1)

    def test_an_odd_answer_of_the_platform_is_not_taken_for_another_message(self):
        self.fake.faults.append(("POST", "/tasks", Answer(201, {"unexpected": True})))
        status, words, headers = self.post("msg_1", event(FIELDWIRE))
        self.assertEqual((status, headers["Retry-After"]), (503, "60"))
        self.assertIn("the platform's answer is not what its documents say", words)
        self.assertEqual(self.post("msg_1", event(FIELDWIRE))[0], 200)

    def test_an_access_token_that_has_ended_is_renewed_once(self):
        self.post("msg_1", event(FIELDWIRE))
        self.fake.expire()
        self.assertEqual(self.post("msg_2", event(FIELDWIRE, detection="d2"))[0], 200)
        self.assertEqual(self.fake.made("POST", "/api_keys/jwt"), 2)

    def test_only_what_is_signed_and_carries_the_token_is_taken(self):
        body = event(FIELDWIRE)
        self.assertEqual(self.post("msg_1", body, **{"webhook-id": "msg_2"})[0], 401)
        self.assertEqual(self.post("msg_1", body, authorization="Bearer other")[0], 401)
        self.assertEqual(self.post("msg_1", b"[]")[0], 400)
        self.assertEqual(self.post("msg_1", event(None))[0], 422)
        status, words, _ = self.post("msg_1", event(TRIMBLE))
        self.assertEqual((status, words), (422, "the message is made for another platform: its ready block has no category"))
        for odd in (b'{"data": []}', b'{"data": "x"}', b'"x"'):
            self.assertEqual(self.post("msg_1", odd)[0], 400, odd)
        self.assertEqual(self.post("msg_1", event("x"))[0], 422)
        status, words, _ = self.post("msg_9", event(None, kind="ping"))
        self.assertEqual((status, words), (200, "the relay is there, and the signature is right"))
        self.assertEqual(self.fake.tasks, [])


class ToTrimble(Running):
    def setUp(self):
        self.fake = FakeTrimble("client", PROJECT)
        self.addCleanup(self.fake.close)
        regions = f"{self.fake.url}/tc/api/2.0/regions"
        self.start(lambda state: Trimble(state, "client", PROJECT, identity_url=self.fake.url, regions_url=regions))

    def agree(self):
        self.platform.agreed(self.fake.consents(self.platform.consent_url()))

    def test_until_somebody_agrees_messages_wait(self):
        status, words, _ = self.post("msg_1", event(TRIMBLE))
        self.assertEqual(status, 503)
        self.assertIn("relay.py login", words)
        self.agree()
        self.assertEqual(self.post("msg_1", event(TRIMBLE))[0], 200)

    def test_a_consent_that_is_not_given_leaves_the_one_that_stands(self):
        self.agree()
        self.platform.consent_url()
        with self.assertRaisesRegex(Refused, "access_denied"):
            self.platform.agreed("http://localhost/?error=access_denied")
        self.fake.expire()
        self.platform.access_token = None
        self.assertEqual(self.post("msg_1", event(TRIMBLE))[0], 200)

    def test_a_detection_becomes_one_topic_with_values_of_the_projects_own(self):
        self.agree()
        self.fake.faults.append(("POST", "/topics", None))
        self.assertEqual([self.post("msg_1", event(TRIMBLE))[0] for _ in range(3)], [503, 200, 200])
        [topic] = self.fake.topics.values()
        self.assertEqual((topic["title"], topic["topic_status"], topic["labels"]), (NAME, "New", ["Safety"]))
        self.assertNotIn("priority", topic)
        self.assertEqual(len(self.fake.comments), 1)
        later = {**TRIMBLE, "topic": {**TRIMBLE["topic"], "description": "Retracted"}}
        self.assertEqual(self.post("msg_2", event(later))[0], 200)
        self.assertEqual((len(self.fake.topics), len(self.fake.comments)), (1, 2))
        self.post("msg_4", event(TRIMBLE, revision=4))
        self.post("msg_3", event(TRIMBLE, revision=3))
        said = [comment["comment"] for comment in self.fake.comments.values()]
        self.assertEqual([text.startswith("Came late") for text in said], [False, False, False, True])
        self.assertTrue(any("Retracted" in comment["comment"] for comment in self.fake.comments.values()))

    def test_tokens_are_renewed_and_the_new_one_is_kept(self):
        self.agree()
        for number in range(3):
            self.fake.expire()
            ready = {**TRIMBLE, "topic": {**TRIMBLE["topic"], "guid": f"b1946ac9-2493-8dc8-90d3-3c5f6b1a4a1{number}"}}
            self.assertEqual(self.post(f"msg_{number}", event(ready, detection=f"d{number}"))[0], 200)
        self.assertEqual(len(self.fake.topics), 3)
        kept = self.platform.state.get("token", "refresh")
        self.assertIn(kept, self.fake.refresh)
        # Nine days without a message: somebody must agree again, and nothing is lost meanwhile.
        self.fake.refresh.clear()
        self.fake.expire()
        status, words, _ = self.post("msg_9", event({**TRIMBLE, "topic": {**TRIMBLE["topic"], "guid": PROJECT}}, detection="d9"))
        self.assertEqual(status, 503)
        self.assertIn("relay.py login", words)


if __name__ == "__main__":
    unittest.main()
