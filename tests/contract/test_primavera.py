"""The Primavera P6 example follows the real API: what edges sent becomes issues and counts in a P6 as strict as its description."""

import os
import sys
import tempfile
import unittest

from stack import Contractor, detection, eventually, incident, zone

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../docs/examples/primavera-p6")
sys.path[:0] = [EXAMPLE, os.path.join(EXAMPLE, "../common")]

import primavera  # noqa: E402
from fake_p6 import FakeP6  # noqa: E402
from feed import Feed  # noqa: E402
from ledger import Ledger  # noqa: E402
from p6 import P6  # noqa: E402

MAPPING = {"zones": {"crane-2": "A1010"}, "other_zones": "A1010"}


class Primavera(unittest.TestCase):
    def test_what_edges_sent_becomes_issues_and_counts_once(self):
        contractor, fake, folder = Contractor(), FakeP6(), tempfile.TemporaryDirectory()
        self.addCleanup(fake.close)
        self.addCleanup(folder.cleanup)
        project = fake.add("project", Id="TOWER-A", Name="Tower A")
        wbs = fake.add("wbs", ProjectObjectId=project, Code="STEEL", Name="Steel")
        fake.add("activity", ProjectObjectId=project, WBSObjectId=wbs, Id="A1010", Name="Cranes")
        said = []

        def run():
            ledger = Ledger(os.path.join(folder.name, "primavera.sqlite"))
            try:
                feed = Feed(contractor.api, contractor.key, contractor.site)
                ended = primavera.run(ledger, feed, P6(fake.p6_url, "pulse", "secret"), "TOWER-A", MAPPING, say=said.append)
                self.assertEqual(ended, primavera.DONE, said)
            finally:
                ledger.close()

        def brought(done):
            def look():
                run()
                return done()
            return look

        issues, values = fake.rows["projectIssue"], fake.rows["udfValue"]
        contractor.send("zone.configured", zone())
        for number in (1, 2):
            contractor.send("detection.recorded", detection(number))
            contractor.send("incident.confirmed", incident(number))
        eventually("issues and counts", brought(lambda: len(issues) == 2 and [row["Integer"] for row in values] == [2, 2]))
        self.assertTrue(all("Struck by - Crane 2" in issue["Name"] and issue["Status"] == "Open" for issue in issues), issues)
        contractor.send("incident.retracted", {"incident_id": incident(1)["incident_id"], "revision": 2, "reason": "Entered twice"})
        contractor.send("incident.retracted", {"incident_id": incident(4)["incident_id"], "revision": 2, "reason": "Entered twice"})
        # What an edge kept for a month.
        contractor.send("incident.confirmed", {**incident(3), "occurred_at": "2026-10-24T16:00:00Z"})
        eventually("the news", brought(lambda: len(issues) == 3 and any(issue["Status"] == "Closed" for issue in issues)))
        self.assertEqual([row["Integer"] for row in values], [2, 2])
        written = len(fake.written())
        run()
        self.assertEqual(len(fake.written()), written)
        self.assertNotIn("W-4711", str(fake.rows))


if __name__ == "__main__":
    unittest.main()
