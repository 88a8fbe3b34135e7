"""Calls to P6 EPPM's REST API: arrays of objects in, arrays of objects out, by a token of the OAuth endpoint."""

import base64
import re
import urllib.parse

import calls

PATIENCE_SECONDS = 60
TOKEN_SECONDS = 3600
# The SOAP twin takes a thousand objects; for REST no limit is published.
MOST_AT_ONCE = 100


class P6:
    def __init__(self, url, user, password):
        """`url` ends in /p6ws."""
        self.url = url.rstrip("/")
        self.sign_in = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.token = None

    def read(self, entity, fields, where, order="ObjectId"):
        """All that match. Some releases require each of the three parameters."""
        asked = {"Fields": ",".join(fields), "Filter": where, "OrderBy": order}
        return calls.read_json(self._call("GET", f"/{entity}?{urllib.parse.urlencode(asked, quote_via=urllib.parse.quote)}"))

    def has(self, entity):
        """Whether this release knows the entity at all."""
        try:
            self._call("GET", f"/{entity}/fields")
            return True
        except calls.Refused as refused:
            if refused.status == 404:
                return False
            raise

    def make(self, entity, objects):
        """The numbers in the answer. Its form is not published, so they are for the caller to check."""
        answers = [self._call("POST", f"/{entity}", some) for some in parts(objects)]
        return [int(number) for answer in answers for number in re.findall(rb"\d+", answer)]

    def change(self, entity, objects):
        for some in parts(objects):
            self._call("PUT", f"/{entity}", some)

    def _call(self, method, path, body=None):
        def attempt(token):
            headers = {"Authorization": f"Bearer {token}"}
            return calls.ask(method, f"{self.url}/restapi{path}", body, headers, patience=PATIENCE_SECONDS)[2]

        return calls.with_token(self.token, self._new_token, attempt)

    def _new_token(self):
        headers = {"authToken": self.sign_in, "token_exp": str(TOKEN_SECONDS)}
        _, _, text = calls.ask("POST", f"{self.url}/oauth/token", headers=headers, form="", patience=PATIENCE_SECONDS)
        self.token = text.decode().strip()
        return self.token


def parts(objects):
    return [objects[first:first + MOST_AT_ONCE] for first in range(0, len(objects), MOST_AT_ONCE)]


def text(value):
    """A text in a filter."""
    if "'" in value:
        raise calls.Refused(f"P6's filters have no way to say a text with an apostrophe: {value}", 400)
    return f"'{value}'"
