"""How many incidents and alerts each WBS element has seen, as values of two user-defined fields.

A count is told anew from what is known, never added to, so telling it twice does no harm. Oracle's published descriptions differ in
whether a release has these paths at all: it is asked first.
"""

import calls

TITLES = {"incidents": "HardHat Pulse incidents", "detections": "HardHat Pulse alerts"}


def write(ledger, p6, places):
    """How many values were written. `None`: this P6 has no user-defined fields in its REST API."""
    if not (p6.has("udfType") and p6.has("udfValue")):
        return None
    types = p6.read("udfType", ("ObjectId", "Title", "DataType", "SubjectArea"), "SubjectArea:eq:'WBS'")
    elements = {row["ObjectId"] for row in p6.read("wbs", ("ObjectId",), f"ProjectObjectId:eq:{places.project}")}
    counted = {"incidents": ledger.incidents_by_zone(), "detections": ledger.detections_by_zone()}
    return sum(
        write_one(p6, type_of(p6, types, TITLES[name]), elements, places.by_wbs(by_zone)) for name, by_zone in counted.items()
    )


def type_of(p6, types, title):
    found = [row for row in types if row["Title"] == title]
    if found and found[0]["DataType"] != "Integer":
        raise calls.Refused(f"the user-defined field {title!r} of WBS is {found[0]['DataType']}: it must be Integer", 409)
    if found:
        return found[0]["ObjectId"]
    p6.make("udfType", [{"Title": title, "DataType": "Integer", "SubjectArea": "WBS"}])
    made = p6.read("udfType", ("ObjectId", "Title"), "SubjectArea:eq:'WBS'")
    return next(row["ObjectId"] for row in made if row["Title"] == title)


def write_one(p6, udf_type, elements, wanted):
    rows = p6.read("udfValue", ("UDFTypeObjectId", "ForeignObjectId", "Integer"), f"UDFTypeObjectId:eq:{udf_type}", "ForeignObjectId")
    # The field may have values of other projects, too.
    standing = {row["ForeignObjectId"]: row["Integer"] for row in rows if row["ForeignObjectId"] in elements}

    def values(elements):
        return [{"UDFTypeObjectId": udf_type, "ForeignObjectId": each, "Integer": wanted.get(each, 0)} for each in sorted(elements)]

    new = values(each for each in wanted if each not in standing)
    other = values(each for each, number in standing.items() if number != wanted.get(each, 0))
    p6.make("udfValue", new)
    p6.change("udfValue", other)
    return len(new) + len(other)
