"""What the relay must remember: which messages are done, what was made of which event, and rotating tokens."""

import sqlite3


class State:
    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # What is written is on the disk before the next call goes out.
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE IF NOT EXISTS kept (kind TEXT, name TEXT, value TEXT, PRIMARY KEY (kind, name))")

    def get(self, kind, name):
        row = self.db.execute("SELECT value FROM kept WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return row[0] if row else None

    def put(self, kind, name, value):
        self.db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, name, value))
