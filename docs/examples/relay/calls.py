"""Calls to a platform, and what a failure means for the message: once more later, or never."""

import json
import urllib.error
import urllib.request

PATIENCE_SECONDS = 6  # HardHat Pulse waits 15 seconds for the whole of it.


class Later(Exception):
    """The platform may take it in a while: the message is answered 503 and comes again."""

    def __init__(self, words, seconds=None):
        super().__init__(words)
        self.seconds = seconds


class Unclear(Later):
    """No answer came: the platform may have done it, or not."""


class Refused(Exception):
    """The platform will not take it until somebody changes something; the words say what it said."""

    def __init__(self, words, status):
        super().__init__(words)
        self.status = status


def call(method, url, body=None, headers=None, form=None):
    """The status, the headers and the JSON of an answer below 400."""
    data, kind = None, None
    if body is not None:
        data, kind = json.dumps(body).encode(), "application/json"
    if form is not None:
        data, kind = form.encode(), "application/x-www-form-urlencoded"
    request = urllib.request.Request(url, data=data, method=method, headers={"Accept": "application/json", **(headers or {})})
    if kind:
        request.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            text = answer.read()
            return answer.status, answer.headers, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        words = f"{method} {url.split('?')[0]}: {error.code} {error.read(500).decode(errors='replace')}"
        if error.code == 429 or error.code == 503:
            after = error.headers.get("Retry-After") or ""
            raise Later(words, int(after) if after.isdigit() else None) from error
        if error.code >= 500:
            raise Unclear(words) from error
        raise Refused(words, error.code) from error
    except (OSError, ValueError) as error:
        raise Unclear(f"{method} {url.split('?')[0]}: {error}") from error
