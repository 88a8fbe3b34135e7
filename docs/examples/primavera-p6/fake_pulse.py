"""The lists of HardHat Pulse's REST API for the tests, as docs/api.md says: order of arrival, cursors that are kept, refusals in detail.

tests/contract tries the same program on the real one.
"""

import base64
import urllib.parse

from fake_server import Answer, Fake

SITE = {"id": "site_01JDN3Z4WQ0000000000000001", "organization_id": "org_01JDN3Z4WQ0000000000000001", "name": "North Tower",
        "time_zone": "America/Chicago", "shifts": [], "created_at": "2026-11-24T16:03:05Z"}
PAGES = {"limit", "cursor", "from", "to"}
KNOWN = {"zones": PAGES | {"kind", "zone_id"}, "incidents": PAGES | {"kind", "zone_id"}, "detections": PAGES | {"kind", "zone_id", "min_priority"}}
IDS = {"zones": "zone_id", "incidents": "incident_id", "detections": "detection_id"}


class FakePulse(Fake):
    # So many entries of the log are looked at for a page: those of other lists make it short, or empty.
    LOOKED_AT = 3

    def __init__(self, key="hhp_key"):
        super().__init__()
        self.key, self.log = key, []

    def tell(self, name, fact):
        """What an edge sent arrives. A fact that changed stands at its new place only."""
        told = {**fact, "site_id": SITE["id"], "received_at": "2026-11-24T16:30:01Z"}
        for number, entry in enumerate(self.log):
            if entry and entry[0] == name and entry[1][IDS[name]] == fact[IDS[name]]:
                self.log[number] = None
        self.log.append((name, told))

    def route(self, method, path, headers, body):
        path, _, query = path.partition("?")
        if headers.get("Authorization") != f"Bearer {self.key}":
            raise self.problem(401, "the key")
        if method != "GET" or not path.startswith(f"/v1/sites/{SITE['id']}"):
            raise self.problem(404, "no such site for this key")
        name = path.removeprefix(f"/v1/sites/{SITE['id']}").strip("/")
        if not name:
            return 200, SITE, {}
        if name not in KNOWN:
            raise self.problem(404, "no such list")
        return 200, self.page(name, dict(urllib.parse.parse_qsl(query, keep_blank_values=True))), {}

    def page(self, name, asked):
        wrong = [parameter for parameter in asked if parameter not in KNOWN[name]]
        limit = asked.get("limit", "100")
        if not limit.isdigit() or not 1 <= int(limit) <= 500:
            wrong.append("limit")
        if asked.get("min_priority", "1") not in ("1", "2", "3", "4", "5"):
            wrong.append("min_priority")
        first = 0
        if "cursor" in asked:
            text = base64.urlsafe_b64decode(asked["cursor"].encode()).decode(errors="replace") if asked["cursor"] else ""
            mark, _, place = text.partition("/")
            if mark != name or not place.isdigit():
                wrong.append("cursor")
            else:
                first = int(place)
        if wrong:
            raise self.problem(422, "invalid", [{"parameter": each, "detail": "is not valid"} for each in wrong])
        end = min(first + min(self.LOOKED_AT, int(limit)), len(self.log))
        least = int(asked.get("min_priority", "1"))
        facts = [entry[1] for entry in self.log[first:end] if entry and entry[0] == name and entry[1].get("priority", 5) >= least]
        return {"data": facts, "next_cursor": base64.urlsafe_b64encode(f"{name}/{end}".encode()).decode(), "has_more": end < len(self.log)}

    @staticmethod
    def problem(status, detail, errors=()):
        return Answer(status, {"title": detail, "status": status, "detail": detail, "request_id": "r-1", "errors": list(errors)})
