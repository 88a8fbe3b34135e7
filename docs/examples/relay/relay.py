"""A relay from HardHat Pulse to Fieldwire or Trimble Connect: takes the signed webhook, checks it, makes one task or topic.

    python3 relay.py            takes messages, configured by the environment (see README.md)
    python3 relay.py login      Trimble Connect: lets somebody agree, once

Python 3.10 or newer, nothing to install.
"""

import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../common"))

from calls import Later, Refused  # noqa: E402
from fieldwire import Fieldwire  # noqa: E402
from signature import NotOurs, verify  # noqa: E402
from state import State  # noqa: E402
from trimble import Trimble  # noqa: E402

LONGEST = 64 * 1024
RETRY_SECONDS = 60
LATE = "Came late, and says what was before: "
# Whoever sends nothing for so long is hung up on.
SILENCE_SECONDS = 10


class Relay:
    def __init__(self, secrets, platform, state, token=None):
        self.secrets, self.platform, self.state, self.token = secrets, platform, state, token
        self.lock = threading.Lock()

    def take(self, headers, body, now):
        """The status and the words that HardHat Pulse shows in its log, and seconds to wait where it is to come again."""
        if self.token and not hmac.compare_digest((headers.get("authorization") or "").encode(), f"Bearer {self.token}".encode()):
            return 401, "the token is not the one in RELAY_TOKEN", None
        try:
            message_id = verify(self.secrets, headers, body, now)
        except NotOurs as error:
            return 401, str(error), None
        try:
            event = json.loads(body)
        except ValueError:
            event = None
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict):
            return 400, "the body is not a CloudEvents message: choose the form JSON (CloudEvents)", None
        if event.get("type") == "com.hardhatpulse.ping.v1":
            return 200, "the relay is there, and the signature is right", None
        ready = data.get("ready")
        if not isinstance(ready, dict):
            return 422, "the message has no ready block: choose Fieldwire or Trimble Connect as its platform", None
        missing = [name for name in self.platform.needs if not ready.get(name)]
        if missing:
            return 422, f"the message is made for another platform: its ready block has no {missing[0]}", None
        # An id is one of its site's only.
        about = f"{event.get('subject')} {data.get('incident_id') or data.get('detection_id') or data.get('date')}"
        # One message at a time: so two about the same event can't make two tasks.
        with self.lock:
            return self.pass_on(message_id, about, ready, data.get("revision"))

    def pass_on(self, message_id, about, ready, revision):
        done = self.state.get("done", message_id)
        if done:
            return 200, f"done before: {done}", None
        # A message that was tried again comes after later ones of the same event.
        newest = int(self.state.get("newest", about) or 0)
        revision = revision if isinstance(revision, int) else newest
        if revision < newest:
            ready = {**ready, "late": LATE}
        try:
            done = self.platform.take(message_id, about, ready)
        except Later as error:
            return 503, str(error), error.seconds or RETRY_SECONDS
        except Refused as error:
            return 422, f"the platform refused it: {error}", None
        except (LookupError, TypeError) as error:
            return 503, f"the platform's answer is not what its documents say: {error!r}", RETRY_SECONDS
        self.state.put("newest", about, str(max(revision, newest)))
        self.state.put("done", message_id, done)
        return 200, done, None


def handler(relay):
    class Handler(BaseHTTPRequestHandler):
        timeout = SILENCE_SECONDS

        def do_POST(self):
            length = self.headers.get("Content-Length") or ""
            if not length.isdigit() or int(length) > LONGEST:
                return self.answer(413, "a body of at most 64 KiB with its Content-Length is taken", None)
            return self.answer(*relay.take(self.headers, self.rfile.read(int(length)), time.time()))

        def answer(self, status, words, seconds):
            body = words.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if seconds:
                self.send_header("Retry-After", str(seconds))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form, *values):
            print(form % values, file=sys.stderr)

    return Handler


def server(address, relay):
    """A connection on which nothing comes holds up no other."""
    return ThreadingHTTPServer(address, handler(relay))


def configured(environ):
    def needed(name):
        if not environ.get(name):
            sys.exit(f"{name} is not set: see README.md")
        return environ[name]

    state = State(environ.get("RELAY_STATE", "relay.sqlite"))
    if needed("RELAY_PLATFORM") == "fieldwire":
        region = environ.get("FIELDWIRE_REGION", "us")
        return Fieldwire(
            state, needed("FIELDWIRE_API_TOKEN"), needed("FIELDWIRE_PROJECT"), needed("FIELDWIRE_OWNER"),
            projects_url=f"https://client-api.{region}.fieldwire.com",
        )
    return Trimble(
        state, needed("TRIMBLE_CLIENT_ID"), needed("TRIMBLE_PROJECT"), environ.get("TRIMBLE_REGION", "northAmerica"),
        environ.get("TRIMBLE_REDIRECT_URL", "http://localhost/"), environ.get("TRIMBLE_APP_NAME", "hardhat-pulse-relay"),
    )


def main(arguments, environ):
    platform = configured(environ)
    if arguments == ["login"]:
        print("Open this address, agree, and paste the whole address that the browser shows then:")
        print(platform.consent_url())
        try:
            platform.agreed(input("> "))
        except Refused as refused:
            sys.exit(str(refused))
        print("Agreed. Start the relay: python3 relay.py")
        return
    secrets = [secret for secret in (environ.get("RELAY_SECRET"), environ.get("RELAY_SECRET_BEFORE")) if secret]
    if not secrets:
        sys.exit("RELAY_SECRET is not set: it is the signing secret, shown once when the webhook was made")
    relay = Relay(secrets, platform, platform.state, environ.get("RELAY_TOKEN"))
    address = (environ.get("RELAY_HOST", "127.0.0.1"), int(environ.get("RELAY_PORT", "8080")))
    server(address, relay).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
