"""From HardHat Pulse's lists to P6's issues and counts, against both as strict fakes: python3 -m unittest, in this folder."""

import io
import itertools
import os
import re
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../common")]

import calls  # noqa: E402
import counts  # noqa: E402
import primavera  # noqa: E402
from fake_p6 import FakeP6  # noqa: E402
from fake_pulse import SITE, FakePulse  # noqa: E402
from fake_server import Answer  # noqa: E402
from feed import Feed  # noqa: E402
from issues import SETTLED_SECONDS, local  # noqa: E402
from ledger import Busy, Ledger  # noqa: E402
from p6 import P6  # noqa: E402

MAPPING = {"zones": {"crane-2": "A1010"}, "other_zones": "A1000"}
LATER = SETTLED_SECONDS + 1


def zone(zone_id="crane-2", name="Crane 2"):
    return {"zone_id": zone_id, "revision": 1, "name": name, "kind": "crane", "required_ppe": ["hard_hat"], "active": True}


def detection(number, zone_id="crane-2", priority=4):
    return {"detection_id": f"01JD{number:022}", "detected_at": "2026-11-24T16:03:05Z", "kind": "zone_breach", "priority": priority,
            "zone_id": zone_id, "camera_id": "cam-1", "has_footage": False, "platforms": []}


def incident_id(number):
    return f"01JE{number:022}"


def incident(number, revision=1, **change):
    """All that the API shows of one, what must not go on included."""
    return {"incident_id": incident_id(number), "revision": revision, "occurred_at": "2026-11-24T16:00:00Z",
            "confirmed_at": "2026-11-24T16:30:00Z", "recordable": True, "incident_type": "struck_by", "classification": "injury",
            "privacy_case": False, "osha_log": {"year": 2026, "case_number": "17"}, "zone_id": "crane-2",
            "worker": {"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"}, "detection_ids": [], "summary": "Free text of Ann",
            "retracted": False, "retraction_reason": None, "platforms": [], "treatment": {"revision": 1, "injuries": [
                {"source": "procore", "remote_id": "1", "treatment_facility": "Mercy Clinic", "description": "Sprained wrist"}]}, **change}


class Death(BaseException):
    """The program ends here, whatever it was doing."""


class Both(unittest.TestCase):
    def setUp(self):
        self.pulse, self.p6 = FakePulse(), FakeP6()
        self.folder = tempfile.TemporaryDirectory()
        for each in (self.pulse.close, self.p6.close, self.folder.cleanup):
            self.addCleanup(each)
        self.state, self.now = os.path.join(self.folder.name, "primavera.sqlite"), 1_000_000.0
        self.plan()

    def plan(self):
        self.project = self.p6.add("project", Id="TOWER-A", Name="Tower A")
        self.steel, self.general = (self.p6.add("wbs", ProjectObjectId=self.project, Code=code, Name=code) for code in ("STEEL", "GENERAL"))
        for name, wbs in (("A1010", self.steel), ("A1000", self.general)):
            self.p6.add("activity", ProjectObjectId=self.project, WBSObjectId=wbs, Id=name, Name=name)

    def run_once(self, mapping=None, key="hhp_key"):
        self.said = []
        ledger = Ledger(self.state)
        try:
            feed, p6 = Feed(self.pulse.url, key, SITE["id"]), P6(self.p6.p6_url, "pulse", "secret")
            return primavera.run(ledger, feed, p6, "TOWER-A", mapping or MAPPING, 3, self.now, self.said.append)
        finally:
            ledger.close()

    def done(self, mapping=None):
        self.assertEqual(self.run_once(mapping), primavera.DONE, self.said)

    def issues(self):
        return self.p6.rows["projectIssue"]

    def counted(self, name):
        types = {row["ObjectId"]: row["Title"] for row in self.p6.rows["udfType"]}
        return {row["ForeignObjectId"]: row["Integer"] for row in self.p6.rows["udfValue"] if types[row["UDFTypeObjectId"]] == counts.TITLES[name]}


class Incidents(Both):
    def test_an_incident_becomes_one_issue_at_its_zones_activity(self):
        self.pulse.tell("zones", zone())
        self.pulse.tell("incidents", incident(1))
        self.done()
        [issue] = self.issues()
        self.assertEqual(issue["Name"], f"Struck by - Crane 2 [HHP-{incident_id(1)}]")
        self.assertEqual((issue["WBSObjectId"], issue["Priority"], issue["Status"]), (self.steel, "High", "Open"))
        # 16:00 UTC is ten in Chicago: the site has its own clock.
        self.assertEqual(issue["DateIdentified"], "2026-11-24T10:00:00")
        self.assertEqual(issue["Notes"].splitlines(), [
            "Struck by at Crane 2, 2026-11-24 10:00:00 (America/Chicago)", "Recordable (29 CFR 1904), injury, OSHA 300 log 2026 case 17",
            "Worker: Rigger, Ironwork", "HardHat Pulse, revision 1"])

    def test_no_worker_treatment_or_free_text_goes_on_or_is_kept(self):
        self.pulse.tell("incidents", incident(1, privacy_case=True, osha_log={"year": 2026, "case_number": "18"}))
        self.pulse.tell("incidents", incident(2))
        self.done()
        with open(self.state, "rb") as file:
            kept = file.read().decode(errors="replace")
        for text in (kept, str(self.p6.rows)):
            for secret in ("W-4711", "Mercy", "Sprained", "Ann"):
                self.assertNotIn(secret, text)
        self.assertNotIn("Rigger", self.issues()[0]["Notes"])
        self.assertIn("Privacy case", self.issues()[0]["Notes"])

    def test_a_second_run_asks_for_what_is_new_and_writes_nothing(self):
        for number in range(4):
            self.pulse.tell("incidents", incident(number))
            self.pulse.tell("detections", detection(number))
        self.done()
        written, asked = len(self.p6.written()), len(self.pulse.calls)
        self.done()
        self.assertEqual(len(self.p6.written()), written)
        # The site, and each list's end.
        self.assertEqual(len(self.pulse.calls) - asked, 4)

    def test_what_arrives_late_or_changed_is_found_at_its_new_place(self):
        for number in range(1, 9):
            self.pulse.tell("incidents", incident(number))
        self.done()
        self.pulse.tell("incidents", incident(3, revision=2, recordable=False))
        self.pulse.tell("incidents", incident(9, occurred_at="2026-10-01T05:00:00Z"))
        self.done()
        self.assertEqual(len(self.issues()), 9)
        [third] = [issue for issue in self.issues() if incident_id(3) in issue["Name"]]
        self.assertEqual(third["Priority"], "Normal")
        self.assertIn("Not recordable", third["Notes"])
        self.assertIn("revision 2", third["Notes"])

    def test_a_retraction_closes_the_issue_and_taking_it_back_opens_it(self):
        self.pulse.tell("incidents", incident(1))
        self.done()
        self.pulse.tell("incidents", incident(1, revision=2, retracted=True, retraction_reason="Entered twice"))
        self.done()
        self.assertEqual(self.issues()[0]["Status"], "Closed")
        self.assertTrue(self.issues()[0]["Notes"].startswith("RETRACTED."))
        self.pulse.tell("incidents", incident(1, revision=3))
        self.done()
        self.assertEqual(self.issues()[0]["Status"], "Open")
        self.pulse.tell("incidents", incident(2, retracted=True))
        self.done()
        self.assertEqual(len(self.issues()), 1)

    def test_a_retraction_that_arrives_before_its_incident_is_no_issue(self):
        content = {"incident_id": incident_id(1), "revision": 2, "retracted": True, "retraction_reason": "Entered twice", "platforms": []}
        self.pulse.tell("incidents", content)
        self.done()
        self.pulse.tell("incidents", incident(1, revision=2, retracted=True))
        self.done()
        self.assertEqual((self.issues(), self.counted("incidents")), ([], {}))

    def test_what_people_changed_in_p6_stays(self):
        self.pulse.tell("incidents", incident(1))
        self.done()
        self.issues()[0].update(Name="Ours now", Status="On Hold", Notes="Ask the crane crew")
        self.pulse.tell("incidents", incident(1, revision=2, retracted=True, recordable=False))
        for _ in range(2):
            self.done()
        [issue] = self.issues()
        self.assertEqual((issue["Name"], issue["Status"], issue["Priority"]), ("Ours now", "On Hold", "Normal"))
        self.assertTrue(issue["Notes"].startswith("Ask the crane crew\n\nRETRACTED."))
        self.assertEqual(issue["Notes"].count("RETRACTED"), 1)

    def test_what_became_a_privacy_case_leaves_peoples_notes_too(self):
        self.pulse.tell("incidents", incident(1))
        self.done()
        issue = self.issues()[0]
        issue["Notes"] = f"Worker: ask the crane crew\n{issue['Notes']}".replace("\nHardHat Pulse", "\nSeen by the crew\nHardHat Pulse")
        self.assertIn("Rigger", issue["Notes"])
        self.pulse.tell("incidents", incident(1, revision=2, privacy_case=True, worker=None))
        self.done()
        [issue] = self.issues()
        self.assertTrue(issue["Notes"].startswith("Worker: ask the crane crew\n"))
        self.assertNotIn("Rigger", issue["Notes"])
        self.assertIn("Privacy case", issue["Notes"])

    def test_a_time_has_as_many_digits_as_it_likes(self):
        for digits in range(10):
            fraction = "." + "123456789"[:digits] if digits else ""
            self.assertEqual(local(f"2026-11-24T16:03:05{fraction}Z", "America/Chicago"), "2026-11-24T10:03:05")

    def test_an_issue_that_people_deleted_is_not_made_again(self):
        self.pulse.tell("incidents", incident(1))
        self.done()
        self.issues().clear()
        for revision in (2, 3):
            self.pulse.tell("incidents", incident(1, revision=revision))
            self.done()
        self.assertEqual(self.issues(), [])

    def test_what_p6_refuses_is_told_and_holds_nothing_up(self):
        self.pulse.tell("zones", zone())
        for number in (1, 2):
            self.pulse.tell("incidents", incident(number))
        self.p6.faults.append(("POST", "/projectIssue", Answer(400, {"message": "checked out by Kim"})))
        self.assertEqual(self.run_once(), primavera.LOOK)
        self.assertIn("checked out by Kim", "\n".join(self.said))
        self.assertEqual([incident_id(2) in issue["Name"] for issue in self.issues()], [True])
        self.done()
        self.assertEqual(len(self.issues()), 2)

    def test_a_long_zone_name_leaves_the_mark_whole(self):
        self.pulse.tell("zones", zone(name="Z" * 200))
        self.pulse.tell("incidents", incident(1))
        self.done()
        self.assertTrue(self.issues()[0]["Name"].endswith(f"Z [HHP-{incident_id(1)}]"))


class Repeats(Both):
    def test_an_answer_that_was_lost_makes_no_second_issue(self):
        self.pulse.tell("incidents", incident(1))
        self.p6.faults.append(("POST", "/projectIssue", None))
        self.assertEqual(self.run_once(), primavera.LOOK)
        self.done()
        self.assertEqual(len(self.issues()), 1)

    def test_an_unclear_creation_is_given_time_before_another_is_made(self):
        self.pulse.tell("incidents", incident(1))
        self.p6.faults.append(("POST", "/projectIssue", Answer(500)))
        self.assertEqual(self.run_once(), primavera.LOOK)
        self.assertEqual(self.run_once(), primavera.AGAIN)
        self.assertEqual(self.issues(), [])
        self.now += LATER
        self.done()
        self.assertEqual(len(self.issues()), 1)

    def test_whatever_the_answer_to_a_creation_says_the_issue_is_found(self):
        for number, form in enumerate(("%s", "[%s]", '{"ObjectId":%s}', "created 1 object: %s", "done%.0s")):
            self.p6.answers_with = form
            self.pulse.tell("incidents", incident(number))
            self.done()
            self.done()
        self.assertEqual(len(self.issues()), 5)

    def test_with_its_state_lost_it_finds_its_issues_and_changes_nothing(self):
        for number in range(3):
            self.pulse.tell("incidents", incident(number))
            self.pulse.tell("detections", detection(number))
        self.done()
        self.issues()[0]["Status"] = "Closed"
        before, written = str(self.p6.rows), len(self.p6.written())
        os.remove(self.state)
        self.done()
        self.assertEqual((str(self.p6.rows), len(self.p6.written())), (before, written))

    def test_with_its_state_lost_what_people_changed_still_stays(self):
        for number in range(2):
            self.pulse.tell("incidents", incident(number))
        self.done()
        mine = {"Name": f"Ours now [HHP-{incident_id(0)}]", "Priority": "Low", "Notes": "Ask the crane crew"}
        self.issues()[0].update(mine)
        os.remove(self.state)
        for _ in range(2):
            self.done()
        edited, left = self.issues()
        self.assertEqual((edited["Name"], edited["Priority"]), (mine["Name"], "Low"))
        self.assertTrue(edited["Notes"].startswith("Ask the crane crew\n\nStruck by"))
        self.assertNotIn("Ask", left["Notes"])

    def test_a_token_that_has_ended_is_renewed(self):
        self.pulse.tell("incidents", incident(1))
        client = P6(self.p6.p6_url, "pulse", "secret")
        self.assertEqual(len(client.read("project", ("ObjectId",), "Id:eq:'TOWER-A'")), 1)
        self.p6.expire()
        self.assertEqual(len(client.read("project", ("ObjectId",), "Id:eq:'TOWER-A'")), 1)
        with self.assertRaises(calls.Refused):
            P6(self.p6.p6_url, "pulse", "wrong").read("project", ("ObjectId",), "Id:eq:'TOWER-A'")

    def test_two_runs_at_once_are_one(self):
        ledger = Ledger(self.state)
        self.addCleanup(ledger.close)
        with self.assertRaises(Busy):
            Ledger(self.state)

    def test_p6_being_down_is_no_reason_to_try_each_issue(self):
        for number in range(9):
            self.pulse.tell("incidents", incident(number))
        self.p6.faults += [("POST", "/projectIssue", Answer(500)) for _ in range(9)]
        with self.assertRaises(calls.Later):
            self.run_once()
        self.assertEqual(self.p6.made("POST", "/projectIssue"), 3)
        self.p6.faults.clear()
        self.now += LATER
        self.done()
        self.assertEqual(len(self.issues()), 9)

    def history(self):
        """The world before the run that is struck: one issue is there and changes, two are to be made, counts move."""
        self.pulse.tell("zones", zone())
        self.pulse.tell("incidents", incident(1))
        self.done()
        self.pulse.tell("incidents", incident(1, revision=2, retracted=True))
        for number in (2, 3):
            self.pulse.tell("incidents", incident(number, zone_id="yard"))
            self.pulse.tell("detections", detection(number, zone_id="yard"))

    def struck(self, at, kind, after):
        """One run whose call number `at` fails so; whether it was reached."""
        real, number, reached = calls.ask, itertools.count(), []

        def ask(*values, **names):
            if next(number) != at:
                return real(*values, **names)
            reached.append(at)
            if after:
                real(*values, **names)
            raise kind("struck")

        with mock.patch.object(calls, "ask", ask):
            try:
                self.run_once()
            except (Death, calls.Later):
                pass
        return bool(reached)

    def test_wherever_a_run_is_struck_the_next_ones_bring_the_same(self):
        steps = 0
        for kind, after in itertools.product((Death, calls.Unclear), (False, True)):
            for at in itertools.count():
                self.p6.rows = {entity: [] for entity in self.p6.rows}
                self.pulse.log.clear()
                for leftover in os.listdir(self.folder.name):
                    os.remove(os.path.join(self.folder.name, leftover))
                self.plan()
                self.history()
                if not self.struck(at, kind, after):
                    break
                steps += 1
                # Sooner than the unclear can have settled, and then later.
                with self.subTest(kind=kind, after=after, at=at):
                    self.run_once()
                    self.now += LATER
                    self.done()
                    self.assertEqual(sorted(issue["Name"][-28:-1] for issue in self.issues()), [f"P-{incident_id(n)}"[1:] for n in (1, 2, 3)])
                    self.assertEqual([issue["Status"] for issue in self.issues()], ["Closed", "Open", "Open"])
                    self.assertEqual(self.counted("incidents"), {self.steel: 0, self.general: 2})
                    self.assertEqual(self.counted("detections"), {self.general: 2})
        self.assertGreater(steps, 60)


class Counts(Both):
    def test_each_wbs_has_its_incidents_and_alerts(self):
        self.pulse.tell("incidents", incident(1))
        self.pulse.tell("incidents", incident(2, retracted=True))
        for number in range(7):
            self.pulse.tell("detections", detection(number, zone_id="crane-2" if number < 5 else "yard"))
        self.pulse.tell("detections", detection(8, priority=2))
        self.done()
        self.assertEqual(self.counted("incidents"), {self.steel: 1})
        self.assertEqual(self.counted("detections"), {self.steel: 5, self.general: 2})
        # A zone that is mapped elsewhere takes its count along.
        self.done({"zones": {}, "other_zones": "A1000"})
        self.assertEqual(self.counted("detections"), {self.steel: 0, self.general: 7})

    def test_values_of_other_projects_are_left_alone(self):
        elsewhere = self.p6.add("wbs", ProjectObjectId=self.p6.add("project", Id="B", Name="B"), Code="B", Name="B")
        udf_type = self.p6.add("udfType", Title=counts.TITLES["detections"], DataType="Integer", SubjectArea="WBS")
        self.p6.add("udfValue", UDFTypeObjectId=udf_type, ForeignObjectId=elsewhere, Integer=41)
        self.pulse.tell("detections", detection(1))
        self.done()
        self.assertEqual(self.counted("detections"), {elsewhere: 41, self.steel: 1})

    def test_more_values_than_go_at_once(self):
        zones = {}
        for number in range(230):
            wbs = self.p6.add("wbs", ProjectObjectId=self.project, Code=f"W{number}", Name=f"W{number}")
            self.p6.add("activity", ProjectObjectId=self.project, WBSObjectId=wbs, Id=f"B{number}", Name=f"B{number}")
            zones[f"z{number}"] = f"B{number}"
            self.pulse.tell("detections", detection(number, zone_id=f"z{number}"))
        self.pulse.LOOKED_AT = 100
        for _ in range(2):
            self.done({"zones": zones, "other_zones": "A1000"})
        self.assertEqual(len(self.counted("detections")), 230)

    def test_a_p6_without_them_gets_issues_alone(self):
        self.p6.knows_udf = False
        self.pulse.tell("incidents", incident(1))
        self.done()
        self.assertIn("no counts: this P6 has no udfValue", self.said[0])
        self.assertEqual(len(self.issues()), 1)

    def test_a_field_of_another_type_or_a_missing_right_is_told(self):
        self.pulse.tell("incidents", incident(1))
        self.p6.forbidden.add(("POST", "udfType"))
        self.assertEqual(self.run_once(), primavera.LOOK)
        self.assertIn("may not POST udfType", self.said[-1])
        self.p6.add("udfType", Title=counts.TITLES["incidents"], DataType="Text", SubjectArea="WBS")
        self.assertEqual(self.run_once(), primavera.LOOK)
        self.assertIn("must be Integer", self.said[-1])
        self.assertEqual(len(self.issues()), 1)


class Program(Both):
    def main(self, *arguments, mapping='{"zones": {"crane-2": "A1010"}, "other_zones": "A1000"}', **change):
        path = os.path.join(self.folder.name, "mapping.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(mapping)
        environ = {"HHP_API_URL": self.pulse.url, "HHP_API_KEY": "hhp_key", "HHP_SITE": SITE["id"], "P6_URL": self.p6.p6_url,
                   "P6_USER": "pulse", "P6_PASSWORD": "secret", "P6_PROJECT": "TOWER-A", "P6_MAPPING": path, "P6_STATE": self.state, **change}
        told = io.StringIO()
        with redirect_stdout(told), redirect_stderr(told):
            try:
                ended = primavera.main(list(arguments), environ)
            except SystemExit as error:
                ended = error.code
        return ended, told.getvalue()

    def test_check_says_what_a_run_would_use_and_writes_nothing(self):
        self.pulse.tell("zones", zone())
        self.pulse.tell("zones", zone("yard", "Yard"))
        ended, told = self.main("check")
        self.assertEqual(ended, primavera.DONE, told)
        self.assertIn("zone crane-2 (Crane 2): activity A1010\n", told)
        self.assertIn("zone yard (Yard): activity A1000 (as all other zones)", told)
        self.assertEqual((self.p6.written(), os.path.exists(self.state)), ([], False))

    def test_a_run_and_what_it_cannot_do(self):
        self.pulse.tell("incidents", incident(1))
        self.assertEqual(self.main()[0], primavera.DONE)
        self.assertEqual(len(self.issues()), 1)
        for change, ended, words in [
            ({"HHP_API_KEY": "hhp_other"}, primavera.LOOK, "401"),
            ({"P6_PASSWORD": "other"}, primavera.LOOK, "401"),
            ({"P6_URL": "http://127.0.0.1:9/p6ws"}, primavera.AGAIN, "come again"),
            ({"mapping": '{"zones": {"crane-2": "A9"}, "other_zones": "A8"}'}, primavera.LOOK, "A8, A9"),
        ]:
            told = self.main(**change)
            self.assertEqual(told[0], ended, told)
            self.assertIn(words, told[1])
        for change, words in [
            ({"P6_PROJECT": "TOWER-B"}, "another site or project"), ({"P6_USER": ""}, "P6_USER is not set"),
            ({"mapping": '{"zones": {}}'}, "P6_MAPPING"), ({"mapping": "{"}, "P6_MAPPING"),
        ]:
            self.assertIn(words, self.main(**change)[0])

    def test_each_variable_that_the_readme_names_is_read_and_no_other(self):
        with open(os.path.join(HERE, "primavera.py"), encoding="utf-8") as program, open(os.path.join(HERE, "README.md"), encoding="utf-8") as readme:
            read, named = (set(re.findall(r"\b(?:HHP|P6)_[A-Z_]+", text.read())) for text in (program, readme))
        self.assertEqual(named, read)


if __name__ == "__main__":
    unittest.main()
