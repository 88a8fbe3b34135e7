"""Where in the schedule a zone lies: each zone has an activity of the P6 project, and by it a WBS element."""

import calls
from p6 import text

PROJECT_FIELDS = ("ObjectId", "Id", "Name")
ACTIVITY_FIELDS = ("ObjectId", "Id", "WBSObjectId")


class Places:
    def __init__(self, p6, project_id, mapping):
        """`mapping`: {"zones": {zone id: activity id}, "other_zones": activity id}, checked before anything is written."""
        found = p6.read("project", PROJECT_FIELDS, f"Id:eq:{text(project_id)}")
        if len(found) != 1:
            raise calls.Refused(f"P6_PROJECT {project_id}: {len(found)} projects of that id are open to this user", 404)
        self.project, self.project_name = found[0]["ObjectId"], found[0]["Name"]
        activities = {row["Id"]: row for row in p6.read("activity", ACTIVITY_FIELDS, f"ProjectObjectId:eq:{self.project}")}
        self.zones, self.other = mapping["zones"], mapping["other_zones"]
        unknown = sorted({name for name in (*self.zones.values(), self.other) if name not in activities})
        if unknown:
            raise calls.Refused(f"P6_MAPPING names activities that project {project_id} has not: {', '.join(unknown)}", 404)
        self.activities = activities

    def of(self, zone):
        """The activity and the WBS element."""
        row = self.activities[self.zones.get(zone, self.other)]
        return row["ObjectId"], row["WBSObjectId"]

    def by_wbs(self, by_zone):
        counted = {}
        for zone, number in by_zone.items():
            _, wbs = self.of(zone)
            counted[wbs] = counted.get(wbs, 0) + number
        return counted
