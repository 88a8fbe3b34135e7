"""Makes a task of the team Safety, with what happened as its first comment; later news of the same event are further comments.

Fieldwire has no idempotency keys. So it is written down that a task is about to be made, and after an unclear answer the task is
looked for by the marker at the end of its name, which no other event has, before another one is made. The rest of the name is another one
when the event is retracted, its zone is renamed, or a person changed it.
"""

import re
import urllib.parse

from calls import Later, call, with_token

ACCOUNT_URL = "https://client-api.super.fieldwire.com"
PROJECTS_URL = "https://client-api.us.fieldwire.com"
# A date of Fieldwire's API, so that it does not change under us.
VERSION = "2026-04-07"
UNDER_WAY = "?"
MARKER = re.compile(r"\[HHP-[0-9A-Z]+\]$")


class Fieldwire:
    needs = ("category", "task", "bubble")

    def __init__(self, state, api_token, project, owner, account_url=ACCOUNT_URL, projects_url=PROJECTS_URL):
        self.state, self.api_token, self.project, self.owner = state, api_token, project, int(owner)
        self.account_url, self.project_url = account_url, f"{projects_url}/api/v3/projects/{project}"
        self.access_token = None

    def take(self, message_id, about, ready):
        """One message. The same again makes nothing twice."""
        task = self.state.get("task", about)
        made = False
        if task is None:
            self.state.put("task", about, UNDER_WAY)
            task = self._make(ready)
            made = True
        elif task == UNDER_WAY:
            task = self._found(ready["task"]["name"]) or self._make(ready)
        self.state.put("task", about, task)
        said = ready["bubble"]["content"]
        comment = {**ready["bubble"], "content": ready.get("late", "") + said, "user_id": self.owner}
        # It may stand there from before it was late, when its answer was lost.
        if made or not self._says(task, (said, comment["content"])):
            self._call("POST", f"/tasks/{task}/bubbles", comment)
        return f"task {task}"

    def _make(self, ready):
        body = {
            **ready["task"],
            "team_id": self._team(ready["category"]),
            "owner_user_id": self.owner,
            "creator_user_id": self.owner,
            "last_editor_user_id": self.owner,
        }
        return self._call("POST", "/tasks", body)["id"]

    def _team(self, name):
        """Fieldwire's categories are teams."""
        teams = self._all("/teams")
        found = [team["id"] for team in teams if (team.get("name") or "").lower() == name.lower()]
        return found[0] if found else self._call("POST", "/teams", {"name": name})["id"]

    def _found(self, name):
        marker = MARKER.search(name)
        sign = marker.group() if marker else name
        found = [task["id"] for task in self._all("/tasks") if sign in (task.get("name") or "")]
        return found[0] if found else None

    def _says(self, task, contents):
        return any(bubble.get("content") in contents for bubble in self._all(f"/tasks/{task}/bubbles"))

    def _all(self, path):
        rows, since = [], ""
        while True:
            _, headers, page = self._answer("GET", path + since)
            rows += [row for row in page if not row.get("deleted_at")]
            if (headers.get("X-Has-More") or "").lower() != "true":
                return rows
            after = f"?last_synced_at={urllib.parse.quote(headers['X-Last-Synced-At'])}"
            if after == since:
                raise Later("Fieldwire's list does not move on")
            since = after

    def _call(self, method, path, body=None):
        return self._answer(method, path, body)[2]

    def _answer(self, method, path, body=None):
        def attempt(token):
            headers = {"Authorization": f"Bearer {token}", "Fieldwire-Version": VERSION}
            return call(method, self.project_url + path, body, headers)

        return with_token(self.access_token, self._new_token, attempt)

    def _new_token(self):
        """Of minutes or hours."""
        _, _, answer = call("POST", f"{self.account_url}/api_keys/jwt", {"api_token": self.api_token})
        self.access_token = answer["access_token"]
        return self.access_token
