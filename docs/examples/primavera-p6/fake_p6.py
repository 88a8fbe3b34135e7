"""P6 EPPM's REST API for the tests, as strict as Oracle's published descriptions: what they do not allow is refused here.

They do not say what a 201 holds, nor how a text comes back. So the first is set by `answers_with`, and notes come back as HTML, with
the plain text beside it.
"""

import base64
import json
import re
import urllib.parse
import uuid

from fake_server import Answer, Fake

MOST_AT_ONCE = 100
INT, TEXT = int, str
# By entity: the fields with their types, those that cannot be written, those that must be there.
ENTITIES = {
    "project": ({"ObjectId": INT, "Id": TEXT, "Name": TEXT}, set(), set()),
    "wbs": ({"ObjectId": INT, "ProjectObjectId": INT, "Code": TEXT, "Name": TEXT}, set(), set()),
    "activity": ({"ObjectId": INT, "ProjectObjectId": INT, "WBSObjectId": INT, "Id": TEXT, "Name": TEXT}, set(), set()),
    "projectIssue": (
        {"ObjectId": INT, "ProjectObjectId": INT, "WBSObjectId": INT, "ActivityObjectId": INT, "Name": TEXT, "Priority": TEXT, "Status": TEXT,
         "DateIdentified": TEXT, "IdentifiedBy": TEXT, "Notes": TEXT, "RawTextNote": TEXT},
        {"RawTextNote"}, {"ProjectObjectId", "WBSObjectId", "ActivityObjectId", "Name"},
    ),
    "udfType": ({"ObjectId": INT, "Title": TEXT, "DataType": TEXT, "SubjectArea": TEXT}, set(), {"Title", "DataType", "SubjectArea"}),
    "udfValue": (
        {"UDFTypeObjectId": INT, "ForeignObjectId": INT, "Integer": INT, "Text": TEXT}, set(), {"UDFTypeObjectId", "ForeignObjectId"},
    ),
}
ONLY_READ = {"project", "wbs", "activity"}
ALLOWED = {
    "Priority": {"Top", "High", "Normal", "Low", "Lowest"}, "Status": {"Open", "On Hold", "Closed"},
    "DataType": {"Text", "Start Date", "Finish Date", "Cost", "Double", "Integer", "Indicator", "Code"},
}
LONGEST = {"Name": 120, "IdentifiedBy": 255}
CONDITION = re.compile(r"(\w+):(eq|gt|lt|gte|lte):(?:'([^']*)'|(-?\d+))$")


class FakeP6(Fake):
    def __init__(self, user="pulse", password="secret", knows_udf=True):
        super().__init__()
        self.p6_url, self.knows_udf = f"{self.url}/p6ws", knows_udf
        self.sign_in = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.tokens, self.next_id, self.answers_with = set(), 70000, "[%s]"
        self.rows = {entity: [] for entity in ENTITIES}
        self.forbidden = set()

    def add(self, entity, **row):
        """As a planner does. The id."""
        row = {"ObjectId": self.new_id(), **row}
        self.rows[entity].append(row)
        return row["ObjectId"]

    def new_id(self):
        self.next_id += 1
        return self.next_id

    def expire(self):
        self.tokens.clear()

    def written(self):
        return [(method, path.split("?")[0].rsplit("/", 1)[1]) for method, path in self.calls if method != "GET" and "/oauth/" not in path]

    def route(self, method, path, headers, body):
        path, _, query = path.partition("?")
        if (method, path) == ("POST", "/p6ws/oauth/token"):
            if headers.get("authToken") != self.sign_in or not (headers.get("token_exp") or "").isdigit():
                raise Answer(401, {"message": "the user or the password"})
            token = f"token-{uuid.uuid4()}"
            self.tokens.add(token)
            return 200, token.encode(), {}
        scheme, _, token = (headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            raise Answer(401, {"message": "Unauthorized"})
        entity, _, rest = path.removeprefix("/p6ws/restapi/").partition("/")
        if entity not in ENTITIES or (entity.startswith("udf") and not self.knows_udf):
            raise Answer(404, {"message": "no such path"})
        if (method, rest) == ("GET", "fields"):
            return 200, list(ENTITIES[entity][0]), {}
        if rest:
            raise Answer(404, {"message": "no such path"})
        if method == "GET":
            return 200, self.read(entity, urllib.parse.parse_qs(query, keep_blank_values=True)), {}
        if method not in ("POST", "PUT") or entity in ONLY_READ or (method, entity) in self.forbidden:
            raise Answer(403, {"message": f"the user may not {method} {entity}"})
        objects = self.objects(entity, body)
        if method == "PUT":
            # All or none.
            for row, each in [(self.standing(entity, each), each) for each in objects]:
                row.update(each)
            return 200, True, {}
        for each in objects:
            self.may_be_made(entity, each)
        made = [self.add(entity, **each) for each in objects]
        return 201, (self.answers_with % ",".join(map(str, made))).encode(), {}

    def read(self, entity, query):
        known = ENTITIES[entity][0]
        if set(query) != {"Fields", "Filter", "OrderBy"}:
            raise Answer(400, {"message": "Fields, Filter and OrderBy are required"})
        fields, order = query["Fields"][0].split(","), query["OrderBy"][0]
        if order not in known or any(name not in known for name in fields):
            raise Answer(400, {"message": f"no such field in {entity}"})
        rows = self.rows[entity]
        for condition in query["Filter"][0].split(" :and: "):
            found = CONDITION.match(condition)
            if not found or found[1] not in known or (known[found[1]] is TEXT) != (found[3] is not None) or found[2] != "eq":
                raise Answer(400, {"message": f"Filter: {condition}"})
            value = found[3] if found[3] is not None else int(found[4])
            rows = [row for row in rows if row.get(found[1]) == value]
        return [{name: self.shown(row, name) for name in fields} for row in sorted(rows, key=lambda row: row[order])]

    @staticmethod
    def shown(row, name):
        if name == "Notes" and row.get("Notes"):
            return "<HTML><BODY>" + row["Notes"].replace("\n", "<br>") + "</BODY></HTML>"
        return row.get("Notes" if name == "RawTextNote" else name)

    @staticmethod
    def objects(entity, body):
        known, read_only, required = ENTITIES[entity]
        try:
            objects = json.loads(body)
        except ValueError:
            raise Answer(400, {"message": "no JSON"}) from None
        if not isinstance(objects, list) or not objects or not all(isinstance(each, dict) for each in objects):
            raise Answer(400, {"message": "an array of objects is wanted"})
        if len(objects) > MOST_AT_ONCE:
            raise Answer(400, {"message": "too many objects"})
        for each in objects:
            for name, value in each.items():
                if name not in known or name in read_only or not isinstance(value, known[name]) or isinstance(value, bool):
                    raise Answer(400, {"message": f"{entity}.{name}"})
                if value not in ALLOWED.get(name, {value}) or (name in LONGEST and len(value) > LONGEST[name]):
                    raise Answer(405, {"message": f"Invalid Input: {entity}.{name}"})
            if required - set(each):
                raise Answer(400, {"message": f"required: {sorted(required - set(each))}"})
        return objects

    def standing(self, entity, each):
        key = ("UDFTypeObjectId", "ForeignObjectId") if entity == "udfValue" else ("ObjectId",)
        found = [row for row in self.rows[entity] if all(row[name] == each.get(name) for name in key)]
        if not found:
            raise Answer(404, {"message": f"no such {entity}"})
        return found[0]

    def may_be_made(self, entity, each):
        if "ObjectId" in each:
            raise Answer(400, {"message": "ObjectId is given by P6"})

        def belongs(name, other, **also):
            rows = [row for row in self.rows[other] if row["ObjectId"] == each[name]]
            if not rows or any(rows[0].get(field) != value for field, value in also.items()):
                raise Answer(400, {"message": f"{name} {each[name]}"})
            return rows[0]

        if entity == "projectIssue":
            belongs("ProjectObjectId", "project")
            belongs("WBSObjectId", "wbs", ProjectObjectId=each["ProjectObjectId"])
            belongs("ActivityObjectId", "activity", WBSObjectId=each["WBSObjectId"])
        if entity == "udfType" and any(row["Title"] == each["Title"] and row["SubjectArea"] == each["SubjectArea"] for row in self.rows[entity]):
            raise Answer(400, {"message": "Title is taken"})
        if entity == "udfValue":
            kind = belongs("UDFTypeObjectId", "udfType", SubjectArea="WBS")
            belongs("ForeignObjectId", "wbs")
            if set(each) != {"UDFTypeObjectId", "ForeignObjectId", kind["DataType"]}:
                raise Answer(400, {"message": f"a value of {kind['DataType']} is wanted"})
            key = ("UDFTypeObjectId", "ForeignObjectId")
            if any(all(row[name] == each[name] for name in key) for row in self.rows[entity]):
                raise Answer(400, {"message": "it has a value"})
