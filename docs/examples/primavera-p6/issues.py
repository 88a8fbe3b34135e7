"""One P6 project issue per incident, kept up with its revisions.

P6 has no idempotency keys, and two issues may have one name. So each name ends in a mark of its incident, it is written down that an
issue is about to be made, and none is made before the project's issues were looked through for the mark. A field that people
changed in P6 is theirs: what is new is said beneath their notes.
"""

import datetime
import json
import re
import zoneinfo
from dataclasses import dataclass, field

import calls

# An unanswered creation may still be under way in P6 for so long; before that nothing can be said of it.
SETTLED_SECONDS = 300
# With so many failures that pass in a row, P6 is down.
ENOUGH = 3
LONGEST_NAME = 120
WORKER = "Worker: "
TRACE = "HardHat Pulse, revision "
MARK = re.compile(r"\[HHP-([0-9A-Z]{26})\]")
REQUIRED = ("ObjectId", "ProjectObjectId", "WBSObjectId", "ActivityObjectId", "Name")
WRITTEN = ("Name", "Priority", "Status", "Notes")


@dataclass
class Outcome:
    made: int = 0
    changed: int = 0
    waiting: int = 0
    deleted_by_people: int = 0
    doubles: list = field(default_factory=list)
    troubles: list = field(default_factory=list)


def kept(incident):
    """What of an incident goes on: no worker's id, no treatment, no free text; nothing of the worker in a privacy case."""
    worker = None if incident.get("privacy_case") else incident.get("worker") or {}
    log = incident.get("osha_log") or {}
    return {
        "incident_type": incident["incident_type"], "zone_id": incident["zone_id"], "occurred_at": incident["occurred_at"],
        "recordable": incident["recordable"], "classification": incident.get("classification"), "outcome": incident.get("outcome"),
        "osha_log": [log.get("year"), log.get("case_number")], "revision": incident["revision"], "retracted": incident["retracted"],
        "worker": None if worker is None else [worker.get("role"), worker.get("trade")],
    }


def words(kind):
    return kind.replace("_", " ").capitalize()


def local(instant, time_zone):
    """On the site's clock, as P6 has times: without a zone."""
    # Python 3.10 reads three or six digits of a second, and no Z.
    whole, _, fraction = instant.removesuffix("Z").partition(".")
    at = datetime.datetime.fromisoformat(f"{whole}.{fraction:0<6.6}+00:00")
    return at.astimezone(zoneinfo.ZoneInfo(time_zone)).replace(tzinfo=None, microsecond=0).isoformat()


def trace(said):
    """Stands in the notes of what was brought up to this revision."""
    return f"{TRACE}{said['revision']}"


def without_worker(notes):
    """People's notes without our line on the worker: it became a privacy case since. Ours is the nearest above our trace."""
    lines, nearest, ours = notes.splitlines(), None, set()
    for at, line in enumerate(lines):
        if line.lstrip().startswith(WORKER):
            nearest = at
        elif line.lstrip().startswith(TRACE):
            ours.add(nearest)
            nearest = None
    return "\n".join(line for at, line in enumerate(lines) if at not in ours)


def wanted(incident_id, said, zone_names, time_zone):
    """What the issue's fields should say."""
    zone, mark = zone_names.get(said["zone_id"], said["zone_id"]), f" [HHP-{incident_id}]"
    title = f"{words(said['incident_type'])} - {zone}"
    year, case = said["osha_log"]
    lines = ["RETRACTED."] if said["retracted"] else []
    lines.append(f"{words(said['incident_type'])} at {zone}, {local(said['occurred_at'], time_zone).replace('T', ' ')} ({time_zone})")
    recordable = "Recordable (29 CFR 1904)" if said["recordable"] else "Not recordable"
    classification = f", {said['classification'].replace('_', ' ')}" if said["classification"] else ""
    lines.append(recordable + classification + (f", OSHA 300 log {year} case {case}" if case else ""))
    if said["worker"] is None:
        lines.append("Privacy case: nothing is said of the worker")
    elif any(said["worker"]):
        lines.append(WORKER + ", ".join(part for part in said["worker"] if part))
    lines.append(trace(said))
    severe = said["outcome"] in ("death", "days_away")
    return {
        "Name": title[:LONGEST_NAME - len(mark)].rstrip() + mark,
        "Priority": "Top" if severe else "High" if said["recordable"] else "Normal",
        "Status": "Closed" if said["retracted"] else "Open",
        "Notes": "\n".join(lines),
    }


def same(one, other):
    """P6 may give a text back with other blanks."""
    return " ".join((one or "").split()) == " ".join((other or "").split())


class Issues:
    def __init__(self, ledger, p6, places, time_zone, now):
        self.ledger, self.p6, self.places, self.time_zone, self.now = ledger, p6, places, time_zone, now
        self.marked = None
        self.outcome = Outcome()

    def write(self):
        """Brings each issue to what its incident says. What P6 will not take is told and tried again next time."""
        names, failed = self.ledger.zone_names(), 0
        for row in self.ledger.incidents():
            said = json.loads(row["said"])
            fields = wanted(row["id"], said, names, self.time_zone)
            if row["gone"] or row["done"] == json.dumps(fields):
                continue
            try:
                self._bring(row, said, fields)
                failed = 0
            except calls.Later as error:
                self._trouble(row["id"], error)
                failed += 1
                if failed == ENOUGH:
                    raise
            except calls.Refused as error:
                self._trouble(row["id"], error)
        return self.outcome

    def _trouble(self, incident, error):
        self.ledger.note(incident, trouble=str(error))
        self.outcome.troubles.append(f"{incident}: {error}")

    def _bring(self, row, said, fields):
        object_id, given = row["object_id"], json.loads(row["given"] or "null")
        if object_id is None:
            object_id = self._found(row["id"])
            if object_id is not None:
                self.ledger.note(row["id"], object_id=object_id)
        if object_id is not None:
            self._update(row["id"], object_id, given, said, fields)
        elif row["tried_at"] and self.now - row["tried_at"] < SETTLED_SECONDS:
            self.outcome.waiting += 1
        elif said["retracted"]:
            # It was taken back before anybody in P6 knew of it.
            self.ledger.note(row["id"], done=json.dumps(fields), trouble=None)
        else:
            self._make(row["id"], said, fields)

    def _make(self, incident, said, fields):
        activity, wbs = self.places.of(said["zone_id"])
        self.ledger.note(incident, tried_at=self.now, given=json.dumps(fields))
        try:
            numbers = self.p6.make("projectIssue", [{
                **fields, "ProjectObjectId": self.places.project, "WBSObjectId": wbs, "ActivityObjectId": activity,
                "DateIdentified": local(said["occurred_at"], self.time_zone), "IdentifiedBy": "HardHat Pulse",
            }])
        except calls.Refused:
            # It said no: nothing is under way.
            self.ledger.note(incident, tried_at=None)
            raise
        object_id = numbers[0] if len(numbers) == 1 and self._is(numbers[0], incident) else None
        if object_id is None:
            self.marked = None
            object_id = self._found(incident)
        if object_id is None:
            raise calls.Unclear("P6 answered that it made the issue, and does not show it yet")
        self.ledger.note(incident, object_id=object_id, done=json.dumps(fields), trouble=None)
        self.outcome.made += 1

    def _update(self, incident, object_id, given, said, fields):
        standing = self._standing(object_id)
        if standing is None:
            # A person took it away, and knew why.
            self.ledger.note(incident, gone=1, trouble=None)
            self.outcome.deleted_by_people += 1
            return
        if given is None:
            # The state was lost and the issue found again: what stands there otherwise than it should may be a person's.
            given = {**fields, "Status": "Open"}
        ours = {name for name in WRITTEN if same(standing[name], given[name])}
        change = {name: fields[name] for name in ours if not same(standing[name], fields[name])}
        if "Notes" not in ours:
            notes = without_worker(standing["Notes"] or "") if said["worker"] is None else standing["Notes"] or ""
            if trace(said) not in notes:
                notes = f"{notes}\n\n{fields['Notes']}"
            if not same(notes, standing["Notes"]):
                change["Notes"] = notes
        if change:
            self.p6.change("projectIssue", [{**{name: standing[name] for name in REQUIRED}, **change}])
            self.outcome.changed += 1
        now_given = {name: fields[name] if name in ours or same(standing[name], fields[name]) else given[name] for name in WRITTEN}
        self.ledger.note(incident, given=json.dumps(now_given), done=json.dumps(fields), trouble=None)

    def _standing(self, object_id):
        rows = self.p6.read("projectIssue", (*REQUIRED, "Priority", "Status", "RawTextNote"), f"ObjectId:eq:{object_id}")
        return {**rows[0], "Notes": rows[0].get("RawTextNote")} if rows else None

    def _is(self, object_id, incident):
        standing = self._standing(object_id)
        return bool(standing) and incident in MARK.findall(standing["Name"])

    def _found(self, incident):
        """The issue that bears the incident's mark. The project's issues are read once in a run, and only where one is to be made."""
        if self.marked is None:
            self.marked = {}
            for row in self.p6.read("projectIssue", ("ObjectId", "Name"), f"ProjectObjectId:eq:{self.places.project}"):
                for mark in MARK.findall(row["Name"]):
                    self.marked.setdefault(mark, []).append(row["ObjectId"])
        found = sorted(self.marked.get(incident, []))
        if len(found) > 1:
            self.outcome.doubles.append(f"{incident}: issues {', '.join(map(str, found))}; the first is kept up")
        return found[0] if found else None
