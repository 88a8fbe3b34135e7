"""Brings a site's safety incidents into a Primavera P6 project: an issue each, and counts per WBS element.

    python3 primavera.py check      reads both sides and says what a run would use; writes nothing
    python3 primavera.py            one run, for a timer; configured by the environment (see README.md)

Python 3.10 or newer, nothing to install.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../common"))

import counts  # noqa: E402
from calls import Later, Refused  # noqa: E402
from feed import Feed  # noqa: E402
from issues import Issues, kept  # noqa: E402
from ledger import Busy, Ledger  # noqa: E402
from p6 import P6  # noqa: E402
from places import Places  # noqa: E402

# What a timer is told: all done; somebody must look; come again.
DONE, LOOK, AGAIN = 0, 1, 75


def pull(ledger, feed, min_priority):
    """What HardHat Pulse says since the last time, on the disk before any of it goes on."""
    rows = {
        "zones": lambda fact: (fact["zone_id"], fact["name"]),
        "incidents": lambda fact: (fact["incident_id"], json.dumps(kept(fact))),
        "detections": lambda fact: (fact["detection_id"], fact["zone_id"]),
    }
    for name, row in rows.items():
        filters = {"min_priority": min_priority} if name == "detections" else {}

        def keep(facts, cursor, name=name, row=row):
            # An incident of which only the retraction has arrived has no content yet; with that it comes again.
            ledger.keep(name, [row(fact) for fact in facts if name != "incidents" or "incident_type" in fact], cursor)

        feed.follow(name, ledger.cursor(name), keep, **filters)


def run(ledger, feed, p6, project, mapping, min_priority=3, now=None, say=print):
    """One run, and how it ended. Whatever cut the one before short, this one goes on from there."""
    time_zone = feed.site()["time_zone"]
    pull(ledger, feed, min_priority)
    places = Places(p6, project, mapping)
    outcome = Issues(ledger, p6, places, time_zone, time.time() if now is None else now).write()
    troubles = list(outcome.troubles)
    try:
        written = counts.write(ledger, p6, places)
    except Refused as error:
        written, troubles = 0, [*troubles, f"counts: {error}"]
    counted = "no counts: this P6 has no udfValue" if written is None else f"{written} counts written"
    say(f"{outcome.made} issues made, {outcome.changed} changed, {counted}")
    if outcome.deleted_by_people:
        say(f"{outcome.deleted_by_people} issues were deleted in P6: they are left alone from now on")
    for words in (*(f"more than one issue for {double}" for double in outcome.doubles), *troubles):
        say(words)
    if outcome.waiting:
        say(f"{outcome.waiting} issues got no answer a moment ago: the next run looks for them")
    return LOOK if troubles or outcome.doubles else AGAIN if outcome.waiting else DONE


def check(feed, p6, project, mapping, say=print):
    site = feed.site()
    say(f"HardHat Pulse: site {site['name']}, {site['time_zone']}")
    places = Places(p6, project, mapping)
    say(f"P6: project {project}, {places.project_name}, {len(places.activities)} activities")
    zones = {}
    feed.follow("zones", None, lambda facts, _: zones.update((fact["zone_id"], fact["name"]) for fact in facts))
    for zone, name in sorted(zones.items()):
        own = mapping["zones"].get(zone)
        say(f"  zone {zone} ({name}): activity {own or mapping['other_zones'] + ' (as all other zones)'}")
    say("counts: " + ("udfType and udfValue are there" if p6.has("udfType") and p6.has("udfValue") else "left out, this P6 has no udfValue"))
    return DONE


def read_mapping(path):
    with open(path, encoding="utf-8") as file:
        mapping = json.load(file)
    zones = mapping.get("zones") if isinstance(mapping, dict) else None
    if not isinstance(zones, dict) or not all(isinstance(each, str) and each for each in (*zones.values(), mapping.get("other_zones"))):
        raise ValueError('it must be {"zones": {"<zone id>": "<activity id>"}, "other_zones": "<activity id>"}')
    return mapping


def main(arguments, environ):
    def needed(name):
        if not environ.get(name):
            sys.exit(f"{name} is not set: see README.md")
        return environ[name]

    if arguments not in ([], ["check"]):
        sys.exit("python3 primavera.py, or python3 primavera.py check")
    site, project = needed("HHP_SITE"), needed("P6_PROJECT")
    feed = Feed(needed("HHP_API_URL"), needed("HHP_API_KEY"), site)
    p6 = P6(needed("P6_URL"), needed("P6_USER"), needed("P6_PASSWORD"))
    min_priority = environ.get("HHP_MIN_PRIORITY", "3")
    try:
        mapping = read_mapping(environ.get("P6_MAPPING", "mapping.json"))
    except (OSError, ValueError) as error:
        sys.exit(f"P6_MAPPING: {error}")
    try:
        if arguments == ["check"]:
            return check(feed, p6, project, mapping)
        ledger = Ledger(environ.get("P6_STATE", "primavera.sqlite"))
        try:
            if not ledger.belongs_to(f"{site} {project}"):
                sys.exit("P6_STATE was made for another site or project: give each pair a file of its own")
            return run(ledger, feed, p6, project, mapping, min_priority)
        finally:
            ledger.close()
    except (Busy, Later) as error:
        print(f"come again: {error}", file=sys.stderr)
        return AGAIN
    except Refused as error:
        print(error, file=sys.stderr)
        return LOOK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
