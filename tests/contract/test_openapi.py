"""The API does what its description says, whatever is asked of it: schemathesis, once with an organization's key and once as the
operator. Ids in paths are of things that are there, so that more than 404 is tried."""

import os
import subprocess
import sys
import tempfile
import unittest

from stack import Contractor, Receiver, detection, eventually, incident, zone

# What a schema can't say (a time zone, a site of another organization) is refused by 422, which each operation documents.
LEFT_OUT = "positive_data_acceptance"
EXAMPLES = "4"
# Each has a key of its own, and so a rate of its own: all at once, they take a minute.
PARTS = [["facts"], ["webhooks"], ["connections", "reports", "directory"]]
OPERATORS = "operator"
# A wrong body beside a condition that does not hold is refused for the condition.
CONFIG = """[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429", "5xx"]
"""


class Description(unittest.TestCase):
    def test_nothing_that_a_fuzzer_asks_is_answered_otherwise_than_described(self):
        contractor = Contractor()
        receiver = Receiver()
        self.addCleanup(receiver.close)
        company = {"organization_id": contractor.organization, "provider": "procore", "company_id": "77001"}
        connection = contractor.make("/v1/connections", company)["id"]
        wanted = {"platform": "own", "name": "Relay", "url": receiver.url, "min_priority": 1, "kinds": "all"}
        endpoint = contractor.make("/v1/webhook-endpoints", wanted, contractor.key)["id"]
        contractor.send("zone.configured", zone())
        contractor.send("worker.assigned", {"worker_id": "W-4711", "revision": 1, "role": "Rigger", "trade": "Ironwork", "active": True, "from": "2026-11-01T06:00:00Z"})
        contractor.send("detection.recorded", detection(1))
        contractor.send("incident.confirmed", incident(1))
        eventually("the messages", lambda: receiver.of("detection.recorded") and receiver.of("incident.confirmed"))
        deliveries = contractor.call("GET", f"/v1/webhook-endpoints/{endpoint}/deliveries", None, contractor.key)["data"]
        names = {
            "organization": contractor.organization, "site": contractor.site, "edge": contractor.edge["id"], "connection": connection,
            "endpoint": endpoint, "delivery": deliveries[0]["id"], "project": "8600000001", "kind": "incident", "field": "name",
        }
        ids = {
            "/v1/sites/{site}/detections/{id}": detection(1)["detection_id"],
            "/v1/sites/{site}/detections/{id}/footage": detection(1)["detection_id"],
            "/v1/sites/{site}/incidents/{id}": incident(1)["incident_id"],
            "/v1/sites/{site}/incidents/{id}/treatment": incident(1)["incident_id"],
            "/v1/sites/{site}/zones/{id}": "crane-2",
            "/v1/sites/{site}/workers/{id}": "W-4711",
            "/v1/sites/{site}/ppe-samples/{id}": "s-1",
            "/v1/connections/{connection}/records/{kind}/{id}/retry": incident(1)["incident_id"],
            "/v1/connections/{connection}/records/{kind}/{id}/conflicts/{field}": incident(1)["incident_id"],
            "/v1/organizations/{organization}/api-keys/{id}": "key_01JDN3Z4WQ0000000000000001",
        }
        config = CONFIG + "[parameters]\n" + "".join(f'"path.{name}" = "{value}"\n' for name, value in names.items())
        for path, value in ids.items():
            config += f'[[operations]]\ninclude-path = "{path}"\nparameters = {{ "path.id" = "{value}" }}\n'
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = os.path.join(folder.name, "schemathesis.toml")
        with open(file, "w", encoding="utf-8") as config_file:
            config_file.write(config)
        runs = [(contractor.new_key(), part) for part in PARTS] + [(contractor.operator_key, [OPERATORS])]
        processes = [self.start(folder.name, contractor.api, file, key, tags) for key, tags in runs]
        said = [(process.communicate(timeout=300)[0], process.returncode) for process in processes]
        failed = [words for words, code in said if code]
        self.assertFalse(failed, "\n".join(failed))

    @staticmethod
    def start(folder, api, config, key, tags):
        command = [
            os.path.join(os.path.dirname(sys.executable), "st"), "--config-file", config, "run", f"{api}/openapi.json",
            "--header", f"Authorization: Bearer {key}", "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES,
            "--exclude-checks", LEFT_OUT, "--seed", "1", "--no-color", "--rate-limit", "550/m",
            "--exclude-operation-id", "removeEndpoint", "--exclude-operation-id", "removeConnection",
            "--generation-database", "none", "--request-timeout", "30",
        ]
        command += [word for tag in tags for word in ("--include-tag", tag)]
        # What it remembers of a run is not to change the next.
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


if __name__ == "__main__":
    unittest.main()
