"""What must be remembered from run to run: how far each list was read, what it said, and what was given to P6.

Of an incident only what goes to P6 is kept here. Every step is on the disk before the next call goes out.
"""

import json
import sqlite3

TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS cursor (list TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS zone (id TEXT PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS detection (id TEXT PRIMARY KEY, zone_id TEXT);
CREATE TABLE IF NOT EXISTS incident (
    id TEXT PRIMARY KEY,
    said TEXT,          -- what HardHat Pulse says of it
    tried_at REAL,      -- when it was last attempted to make its issue
    object_id INTEGER,  -- its issue in P6
    given TEXT,         -- the values that we gave the issue's fields
    done TEXT,          -- what it was last brought to
    gone INTEGER DEFAULT 0,  -- somebody deleted the issue
    trouble TEXT        -- what P6 said against it
);
"""


class Busy(Exception):
    """Another run is under way."""


class Ledger:
    def __init__(self, path):
        # Held until the run ends, however it ends: two at once could make two issues of one incident.
        self.lock = sqlite3.connect(f"{path}.lock", timeout=0, isolation_level=None)
        try:
            self.lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self.lock.close()
            raise Busy("another run is under way with the same P6_STATE") from error
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(TABLES)

    def close(self):
        self.db.close()
        self.lock.close()

    def belongs_to(self, whose):
        """Whether this state was made for the same site and project; a new one is from now on."""
        self.db.execute("INSERT OR IGNORE INTO about VALUES ('whose', ?)", (whose,))
        [(kept,)] = self.db.execute("SELECT value FROM about WHERE name = 'whose'")
        return kept == whose

    def cursor(self, name):
        row = self.db.execute("SELECT value FROM cursor WHERE list = ?", (name,)).fetchone()
        return row[0] if row else None

    def keep(self, name, rows, cursor):
        """A page and the cursor after it, in one step. The later of two that tell of the same wins."""
        statement = {
            "zones": "INSERT INTO zone (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            "detections": "INSERT INTO detection (id, zone_id) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET zone_id = excluded.zone_id",
            "incidents": "INSERT INTO incident (id, said) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET said = excluded.said",
        }[name]
        self.db.execute("BEGIN")
        try:
            self.db.executemany(statement, rows)
            self.db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, cursor))
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def zone_names(self):
        return dict(self.db.execute("SELECT id, name FROM zone").fetchall())

    def incidents(self):
        return self.db.execute("SELECT * FROM incident ORDER BY rowid").fetchall()

    def detections_by_zone(self):
        return dict(self.db.execute("SELECT zone_id, count(*) FROM detection GROUP BY zone_id").fetchall())

    def incidents_by_zone(self):
        counted = {}
        for row in self.incidents():
            said = json.loads(row["said"])
            if not said["retracted"]:
                counted[said["zone_id"]] = counted.get(said["zone_id"], 0) + 1
        return counted

    def note(self, incident, **values):
        """Members of an incident's row: those named, no others."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE incident SET {columns} WHERE id = ?", (*values.values(), incident))
