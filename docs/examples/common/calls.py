"""Calls over HTTP, and what a failure means for what was to be done: once more later, or never."""

import http.client
import json
import urllib.error
import urllib.request

PATIENCE_SECONDS = 6  # For a relay: HardHat Pulse waits 15 seconds for the whole of it.


class Later(Exception):
    """The other side may take it in a while."""

    def __init__(self, words, seconds=None):
        super().__init__(words)
        self.seconds = seconds


class Unclear(Later):
    """No answer came: the other side may have done it, or not."""


class Refused(Exception):
    """The other side will not take it until somebody changes something; the words say what it said."""

    def __init__(self, words, status):
        super().__init__(words)
        self.status = status


def ask(method, url, body=None, headers=None, form=None, patience=PATIENCE_SECONDS):
    """The status, the headers and the bytes of an answer below 400."""
    data, kind = None, None
    if body is not None:
        data, kind = json.dumps(body).encode(), "application/json"
    if form is not None:
        data, kind = form.encode(), "application/x-www-form-urlencoded"
    request = urllib.request.Request(url, data=data, method=method, headers={"Accept": "application/json", **(headers or {})})
    if kind:
        request.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            words = f"{method} {url.split('?')[0]}: {error.code} {error.read(500).decode(errors='replace')}"
        if error.code in (429, 503):
            after = error.headers.get("Retry-After") or ""
            raise Later(words, int(after) if after.isdigit() else None) from error
        if error.code >= 500:
            raise Unclear(words) from error
        raise Refused(words, error.code) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unclear(f"{method} {url.split('?')[0]}: {error}") from error


def call(method, url, body=None, headers=None, form=None, patience=PATIENCE_SECONDS):
    """The status, the headers and the JSON of an answer below 400."""
    status, given, text = ask(method, url, body, headers, form, patience)
    return status, given, read_json(text) if text else None


def with_token(standing, renew, attempt):
    """`attempt` with the token that stands; where there is none, or it has ended (401), with a renewed one, once."""
    if standing is not None:
        try:
            return attempt(standing)
        except Refused as refused:
            if refused.status != 401:
                raise
    return attempt(renew())


def read_json(text):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unclear(f"an answer that is no JSON: {error}") from error
