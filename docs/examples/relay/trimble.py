"""Makes a topic (BCF 2.1) in a Trimble Connect project; later news of the same event are comments on it.

Both have ids of our choosing, so a repeat is answered 409 and makes nothing twice. Trimble lets in people only, so somebody agrees
once (`python3 relay.py login`); from then on the refresh token does. Each may be used once and ends after nine days without use.
"""

import base64
import hashlib
import secrets
import time
import urllib.parse
import uuid

from calls import Later, Refused, call, with_token

IDENTITY_URL = "https://id.trimble.com"
REGIONS_URL = "https://app.connect.trimble.com/tc/api/2.0/regions"
# Renewed a little before it ends.
MARGIN_SECONDS = 120


def challenge():
    """A PKCE verifier, and what Trimble is told of it."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Trimble:
    needs = ("topic", "comment")

    def __init__(self, state, client_id, project, region="northAmerica", redirect_url="http://localhost/",
                 app_name="hardhat-pulse-relay", identity_url=IDENTITY_URL, regions_url=REGIONS_URL):
        self.state, self.client_id, self.project, self.region = state, client_id, project, region
        self.redirect_url, self.scope = redirect_url, f"openid {app_name}"
        self.identity_url, self.regions_url = identity_url, regions_url
        self.access_token, self.ends_at, self.project_url = None, 0, None

    def take(self, message_id, about, ready):
        """One message. The same again makes nothing twice."""
        topic = self._fitting(ready["topic"])
        if not self._make("/topics", topic):
            # It stands there from an earlier message: what is new is said beneath it.
            text = f"{ready.get('late', '')}{topic['title']}\n{topic.get('description', '')}\n{ready['comment']['comment']}"
        else:
            text = ready["comment"]["comment"]
        comment = {"guid": str(uuid.uuid5(uuid.NAMESPACE_URL, message_id)), "comment": text}
        self._make(f"/topics/{topic['guid']}/comments", comment)
        return f"topic {topic['guid']}"

    def _fitting(self, topic):
        """A project takes the values of its own extensions only."""
        _, _, known = self._call("GET", "/extensions")
        topic = dict(topic)
        for member, listed in (("topic_type", "topic_type"), ("topic_status", "topic_status"), ("priority", "priority")):
            values = known.get(listed) or []
            if topic.get(member) not in values:
                topic.pop(member, None)
                if values and member != "priority":
                    topic[member] = values[0]
        topic["labels"] = [label for label in topic.get("labels", []) if label in (known.get("topic_label") or [])]
        return topic

    def _make(self, path, body):
        """Whether it is new."""
        try:
            self._call("POST", path, body)
            return True
        except Refused as refused:
            if refused.status == 409:
                return False
            raise

    def _call(self, method, path, body=None):
        if self.project_url is None:
            self.project_url = f"{self._topics_url()}/bcf/2.1/projects/{self.project}"

        def attempt(token):
            return call(method, self.project_url + path, body, {"Authorization": f"Bearer {token}"})

        return with_token(self._token(False), lambda: self._token(True), attempt)

    def _topics_url(self):
        """Asked, never assumed: Trimble moves its regions."""
        _, _, regions = call("GET", self.regions_url)
        for region in regions:
            if self.region in (region.get("location"), region.get("origin")):
                return region["topic-api"].rstrip("/")
        known = ", ".join(str(region.get("location")) for region in regions)
        raise Refused(f"TRIMBLE_REGION {self.region} is none of: {known}", 404)

    def _token(self, fresh):
        if not fresh and self.access_token and time.time() < self.ends_at:
            return self.access_token
        refresh_token, verifier = self.state.get("token", "refresh"), self.state.get("token", "verifier")
        if not refresh_token:
            raise Later("nobody has agreed at Trimble yet: run `python3 relay.py login`")
        try:
            return self._exchange({"grant_type": "refresh_token", "refresh_token": refresh_token, "code_verifier": verifier})
        except Refused as refused:
            raise Later(f"Trimble takes the refresh token no more: run `python3 relay.py login` ({refused})") from refused

    def _exchange(self, fields):
        verifier, told = challenge()
        fields = {**fields, "client_id": self.client_id, "code_challenge": told, "code_challenge_method": "S256"}
        _, _, answer = call("POST", f"{self.identity_url}/oauth/token", form=urllib.parse.urlencode(fields))
        # The one before is used up: the new one is on the disk before anything is done with it.
        self.state.put("token", "verifier", verifier)
        self.state.put("token", "refresh", answer["refresh_token"])
        self.access_token = answer["access_token"]
        self.ends_at = time.time() + int(answer.get("expires_in", 3600)) - MARGIN_SECONDS
        return self.access_token

    def consent_url(self):
        """Where somebody agrees. Keeps the verifier for what comes back."""
        verifier, told = challenge()
        # Of its own: a consent that is not given must not end the one that stands.
        self.state.put("token", "login verifier", verifier)
        fields = {"response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_url,
                  "scope": self.scope, "code_challenge": told, "code_challenge_method": "S256"}
        return f"{self.identity_url}/oauth/authorize?{urllib.parse.urlencode(fields)}"

    def agreed(self, came_back_at):
        """`came_back_at`: the whole address that the browser showed after it."""
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(came_back_at.strip()).query))
        code = answer.get("code")
        if not code:
            why = answer.get("error_description") or answer.get("error") or "the address has no code: copy it whole"
            raise Refused(f"nobody agreed at Trimble: {why}", 400)
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_url,
                  "code_verifier": self.state.get("token", "login verifier")}
        self._exchange(fields)
