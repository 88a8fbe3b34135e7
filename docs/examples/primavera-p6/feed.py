"""Follows lists of a site in the REST API of HardHat Pulse (docs/api.md): whatever arrived since the last time, late or changed."""

import urllib.parse

import calls

PATIENCE_SECONDS = 30
LARGEST_PAGE = 500


class Feed:
    def __init__(self, api_url, key, site):
        self.site_url = f"{api_url.rstrip('/')}/v1/sites/{urllib.parse.quote(site, safe='')}"
        self.headers = {"Authorization": f"Bearer {key}"}

    def site(self):
        return self._get("")

    def follow(self, name, cursor, keep, **filters):
        """`keep` gets each page's facts with the cursor after them, and must put both on the disk in one step."""
        while True:
            # There is no cursor the first time: an empty one is refused.
            asked = {"limit": LARGEST_PAGE, **filters, **({"cursor": cursor} if cursor else {})}
            page = self._get(f"/{name}?{urllib.parse.urlencode(asked)}")
            cursor = page["next_cursor"]
            keep(page["data"], cursor)
            # A page may be short or empty while there is more.
            if not page["has_more"]:
                return

    def _get(self, path):
        _, _, answer = calls.call("GET", self.site_url + path, headers=self.headers, patience=PATIENCE_SECONDS)
        return answer
