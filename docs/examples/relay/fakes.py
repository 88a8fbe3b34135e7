"""Fieldwire and Trimble Connect as strict as their documents say, for the tests: what they would refuse is refused here."""

import base64
import hashlib
import json
import urllib.parse
import uuid

from fake_server import Answer, Fake

TASK_FIELDS = {"name", "priority", "team_id", "owner_user_id", "creator_user_id", "last_editor_user_id", "due_date",
               "start_at", "end_at", "status_id", "floorplan_id", "location_id", "pos_x", "pos_y", "user_ids"}
BUBBLE_FIELDS = {"kind", "content", "file_url", "thumb_url", "user_id"}


def is_uuid(text):
    try:
        return str(uuid.UUID(text)) == text
    except (ValueError, AttributeError, TypeError):
        return False


def read(body):
    try:
        value = json.loads(body)
    except ValueError:
        raise Answer(400, {"errors": ["invalid JSON"]}) from None
    if not isinstance(value, dict):
        raise Answer(400, {"errors": ["an object is wanted"]})
    return value


class FakeFieldwire(Fake):
    PAGE = 2

    def __init__(self, api_token, project):
        super().__init__()
        self.api_token, self.project = api_token, project
        self.tokens, self.teams, self.tasks, self.bubbles = set(), [], [], []

    def expire(self):
        self.tokens.clear()

    def route(self, method, path, headers, body):
        path, _, query = path.partition("?")
        if (method, path) == ("POST", "/api_keys/jwt"):
            if read(body) != {"api_token": self.api_token}:
                raise Answer(401, {"errors": ["Invalid API token"]})
            token = f"jwt-{uuid.uuid4()}"
            self.tokens.add(token)
            return 201, {"access_token": token}, {}
        scheme, _, token = (headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            raise Answer(401, {"errors": ["Please use JWT for authentication"]})
        if (headers.get("Fieldwire-Version") or "") < "2026-04-07":
            raise Answer(400, {"errors": ["Fieldwire-Version is deprecated"]})
        prefix = f"/api/v3/projects/{self.project}"
        if not path.startswith(prefix):
            raise Answer(404, {"errors": ["no such project in this region"]})
        parts = path[len(prefix):].strip("/").split("/")
        rows = {"teams": self.teams, "tasks": self.tasks}.get(parts[0])
        if len(parts) == 3 and parts[0] == "tasks" and parts[2] == "bubbles":
            if all(task["id"] != parts[1] for task in self.tasks):
                raise Answer(404, {"errors": ["no such task"]})
            return self.bubble(method, parts[1], body, query)
        if rows is None or len(parts) != 1:
            raise Answer(404, {"errors": ["no such path"]})
        if method == "GET":
            return self.page(rows, query)
        if method != "POST":
            raise Answer(405, {"errors": ["method"]})
        row = self.team(read(body)) if parts[0] == "teams" else self.task(read(body))
        rows.append(row)
        return 201, row, {}

    def page(self, rows, query):
        since = urllib.parse.parse_qs(query).get("last_synced_at", ["0"])[0]
        first = int(since)
        shown = rows[first:first + self.PAGE]
        more = first + len(shown) < len(rows)
        return 200, shown, {"X-Has-More": "true" if more else "false", "X-Last-Synced-At": str(first + len(shown)), "X-Count": str(len(shown))}

    @staticmethod
    def only(body, known):
        unknown = {name: ["is not allowed"] for name in body if name not in known}
        if unknown:
            raise Answer(422, {"errors": [f"Invalid parameters: {unknown}"]})

    def team(self, body):
        self.only(body, {"name", "handle"})
        if not body.get("name"):
            raise Answer(422, {"errors": ["param is missing or the value is empty: name"]})
        return {"id": str(uuid.uuid4()), "name": body["name"], "project_id": self.project, "deleted_at": None}

    def task(self, body):
        self.only(body, TASK_FIELDS)
        for name in ("name", "owner_user_id", "priority"):
            if not body.get(name):
                raise Answer(422, {"errors": [f"param is missing or the value is empty: {name}"]})
        if body["priority"] not in (1, 2, 3) or not isinstance(body["owner_user_id"], int):
            raise Answer(422, {"errors": ["Invalid parameters: priority or owner_user_id"]})
        if "team_id" in body and all(team["id"] != body["team_id"] for team in self.teams):
            raise Answer(422, {"errors": ["Invalid parameters: {:team_id=>[\"is in invalid format\"]}"]})
        return {**body, "id": str(uuid.uuid4()), "sequence_number": len(self.tasks) + 1, "deleted_at": None}

    def bubble(self, method, task, body, query):
        if method == "GET":
            return self.page([bubble for bubble in self.bubbles if bubble["task_id"] == task], query)
        body = read(body)
        self.only(body, BUBBLE_FIELDS)
        if body.get("kind") != 1 or not body.get("content") or not isinstance(body.get("user_id"), int):
            raise Answer(422, {"errors": ["Invalid parameters: kind, content or user_id"]})
        row = {**body, "id": str(uuid.uuid4()), "task_id": task, "deleted_at": None}
        self.bubbles.append(row)
        return 201, row, {}


class FakeTrimble(Fake):
    TOPIC = {"guid", "title", "description", "topic_type", "topic_status", "priority", "labels", "assigned_to", "due_date", "reference_links"}

    def __init__(self, client_id, project):
        super().__init__()
        self.client_id, self.project = client_id, project
        self.access, self.refresh, self.codes = set(), {}, {}
        self.topics, self.comments = {}, {}
        self.extensions = {"topic_type": ["Issue"], "topic_status": ["New", "Done"], "priority": ["High"], "topic_label": ["Safety"]}

    def consents(self, url):
        """As a person who agrees: the address that their browser shows then."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert asked["client_id"] == self.client_id and asked["code_challenge_method"] == "S256", asked
        code = str(uuid.uuid4())
        self.codes[code] = asked["code_challenge"]
        return f"{asked['redirect_uri']}?code={code}"

    def expire(self):
        self.access.clear()

    def route(self, method, path, headers, body):
        path = path.split("?")[0]
        if (method, path) == ("POST", "/oauth/token"):
            return 200, self.token(dict(urllib.parse.parse_qsl(body.decode()))), {}
        if (method, path) == ("GET", "/tc/api/2.0/regions"):
            return 200, [{"location": "europe", "origin": "app21.connect.trimble.com", "topic-api": "http://127.0.0.1:9"},
                         {"location": "northAmerica", "origin": "app.connect.trimble.com", "topic-api": self.url}], {}
        scheme, _, token = (headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or token not in self.access:
            raise Answer(401, {"message": "Unauthorized"})
        prefix = f"/bcf/2.1/projects/{self.project}"
        if not path.startswith(prefix):
            raise Answer(404, {"message": "no such project in this region"})
        parts = path[len(prefix):].strip("/").split("/")
        if (method, parts) == ("GET", ["extensions"]):
            return 200, self.extensions, {}
        if (method, parts) == ("POST", ["topics"]):
            return 201, self.topic(read(body)), {}
        if method == "POST" and len(parts) == 3 and parts[2] == "comments" and parts[1] in self.topics:
            return 201, self.comment(parts[1], read(body)), {}
        raise Answer(404, {"message": "no such path"})

    def token(self, asked):
        grant = asked.get("grant_type")
        if grant == "authorization_code":
            expected = self.codes.pop(asked.get("code"), None)
        elif grant == "refresh_token":
            expected = self.refresh.pop(asked.get("refresh_token"), None)
        else:
            raise Answer(400, {"error": "unsupported_grant_type"})
        given = base64.urlsafe_b64encode(hashlib.sha256((asked.get("code_verifier") or "").encode()).digest()).rstrip(b"=").decode()
        if expected is None or given != expected or not asked.get("code_challenge"):
            raise Answer(400, {"error": "invalid_grant"})
        access, refresh = f"access-{uuid.uuid4()}", f"refresh-{uuid.uuid4()}"
        self.access.add(access)
        self.refresh[refresh] = asked["code_challenge"]
        return {"access_token": access, "refresh_token": refresh, "expires_in": 3600, "token_type": "bearer"}

    def topic(self, body):
        unknown = set(body) - self.TOPIC
        if unknown or not body.get("title") or len(body["title"]) > 255:
            raise Answer(400, {"message": f"title, or unknown members: {sorted(unknown)}"})
        for member, listed in (("topic_type", "topic_type"), ("topic_status", "topic_status"), ("priority", "priority")):
            if member in body and body[member] not in self.extensions[listed]:
                raise Answer(400, {"message": f"{member} is none of the project's"})
        if any(label not in self.extensions["topic_label"] for label in body.get("labels", [])):
            raise Answer(400, {"message": "labels"})
        if body["guid"] in self.topics:
            raise Answer(409, {"message": "guid is taken"})
        self.topics[body["guid"]] = body
        return body

    def comment(self, topic, body):
        if set(body) - {"guid", "comment"} or not body.get("comment"):
            raise Answer(400, {"message": "comment"})
        if body.get("guid") in self.comments:
            raise Answer(409, {"message": "guid is taken"})
        self.comments[body.get("guid") or str(uuid.uuid4())] = {**body, "topic_guid": topic}
        return {**body, "topic_guid": topic}
