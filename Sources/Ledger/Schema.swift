// The tables, and how older ledgers become this one. A migration that was released is never changed.
// Times are microseconds since 1970, UTC.

internal import GRDB

enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: jobs, steps, sightings, streams, audit", migrate: first)
        return migrator
    }

    private static func first(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE jobs (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    path BLOB NOT NULL,
                    size INTEGER NOT NULL,
                    mtime_ns INTEGER NOT NULL,
                    inode INTEGER NOT NULL,
                    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
                    priority INTEGER NOT NULL,
                    attempt INTEGER NOT NULL DEFAULT 0,
                    failures INTEGER NOT NULL DEFAULT 0,
                    worker INTEGER,
                    replaces INTEGER NOT NULL DEFAULT 0,
                    cancel_requested INTEGER NOT NULL DEFAULT 0,
                    sha256 TEXT,
                    settings_hash TEXT,
                    exit_code INTEGER,
                    reason TEXT,
                    log TEXT,
                    result BLOB,
                    result_status TEXT CHECK (result_status IN ('complete', 'partial', 'skipped')),
                    answered_by INTEGER,
                    placed_at BLOB,
                    created INTEGER NOT NULL,
                    started INTEGER,
                    finished INTEGER,
                    not_before INTEGER,
                    paused INTEGER
                ) STRICT;
                -- The same file is queued once, however often it is seen.
                CREATE UNIQUE INDEX jobs_file ON jobs (path, size, mtime_ns, inode);
                CREATE INDEX jobs_queue ON jobs (state, priority DESC, id);
                CREATE INDEX jobs_content ON jobs (sha256, settings_hash) WHERE sha256 IS NOT NULL;

                CREATE TABLE steps (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
                    attempt INTEGER NOT NULL,
                    at INTEGER NOT NULL,
                    state TEXT NOT NULL,
                    reason TEXT NOT NULL
                ) STRICT;
                CREATE INDEX steps_job ON steps (job, id);

                CREATE TABLE sightings (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    path BLOB NOT NULL,
                    size INTEGER,
                    mtime_ns INTEGER,
                    inode INTEGER,
                    verdict TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    first INTEGER NOT NULL,
                    last INTEGER NOT NULL,
                    count INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX sightings_path ON sightings (path, id);

                CREATE TABLE streams (
                    name TEXT PRIMARY KEY NOT NULL,
                    origin INTEGER NOT NULL,
                    next_frame INTEGER NOT NULL,
                    last_face_id INTEGER NOT NULL,
                    last_timestamp INTEGER NOT NULL,
                    state TEXT NOT NULL,
                    changed INTEGER NOT NULL
                ) STRICT;

                CREATE TABLE audit (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    at INTEGER NOT NULL,
                    action TEXT NOT NULL,
                    what TEXT NOT NULL,
                    who TEXT NOT NULL,
                    path BLOB
                ) STRICT;
                CREATE INDEX audit_path ON audit (path, id) WHERE path IS NOT NULL;
                """)
    }
}
