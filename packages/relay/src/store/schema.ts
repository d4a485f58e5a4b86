/**
 * The tables of a ledger. What each row means, and who may write it, stands beside it; the rules are ../../README.md's.
 *
 * INTEGER affinity is not decoration: whole numbers, which node:sqlite binds as doubles, are then kept in as many bytes
 * as they need, which makes a hot row a third smaller and its update a seventh cheaper (measured).
 */

/** Raised with every change of the tables; an older ledger is brought up to it, one of a later version is refused. */
export const SCHEMA_VERSION = 3

const counters = 'rcvp INTEGER, rcvb INTEGER, sentp INTEGER, sentb INTEGER'
const sides = ['c', 'p'].map((side) => counters.replaceAll(/\b(rcv|sent)/g, `${side}_$1`)).join(', ')

const HEAD = `
-- One row: the number of the last commit, so that every reader can say what it has seen.
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL);
INSERT INTO head VALUES (1, 0);
CREATE INDEX allocation_by_account ON allocation (account, session_id);
CREATE INDEX usage_by_bucket ON usage (bucket);
CREATE INDEX allocation_by_opening ON allocation (opened_at, session_id) WHERE opened_at IS NOT NULL;
CREATE INDEX session_live ON session (id) WHERE settled_at IS NULL AND open > 0;
CREATE INDEX session_ended ON session (last_closed) WHERE settled_at IS NOT NULL;
`

const OUTBOX = `
-- What became final, and was revised after that, in this order: whoever passes records on reads on from where it was.
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, session_id INTEGER NOT NULL, revision INTEGER NOT NULL);
CREATE TRIGGER session_final AFTER UPDATE OF settled_at ON session
  WHEN OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL
  BEGIN INSERT INTO outbox (session_id, revision) VALUES (NEW.id, NEW.revision); END;
CREATE TRIGGER session_revised AFTER UPDATE OF revision ON session
  WHEN NEW.settled_at IS NOT NULL AND NEW.revision <> OLD.revision
  BEGIN INSERT INTO outbox (session_id, revision) VALUES (NEW.id, NEW.revision); END;
CREATE TRIGGER outbox_is_not_changed BEFORE UPDATE ON outbox BEGIN SELECT raise(ABORT, 'outbox is append-only'); END;
CREATE TRIGGER outbox_is_not_removed BEFORE DELETE ON outbox BEGIN SELECT raise(ABORT, 'outbox is append-only'); END;
-- One row: by chance this ledger's own, so that sessions of two ledgers can be told apart.
CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), uid TEXT NOT NULL);
INSERT INTO identity VALUES (1, lower(hex(randomblob(8))));
`

/** What was final before there was an outbox. */
const FORMERLY_FINAL = `
INSERT INTO outbox (session_id, revision)
  SELECT id, 0 FROM session WHERE settled_at IS NOT NULL ORDER BY settled_at, id;
`

/** What only coturn's log tells, and where the meter goes on reading it. */
const LOG = `
ALTER TABLE allocation ADD COLUMN origin TEXT;
ALTER TABLE allocation ADD COLUMN close_reason TEXT;
ALTER TABLE stream ADD COLUMN cursor TEXT;
`

/** What makes a ledger of the version before into one of this version. */
export const migrations: Readonly<Record<number, string>> = {
  1: HEAD,
  2: OUTBOX + FORMERLY_FINAL + LOG,
}

export const schema = `
-- A source of events, as far as it can tell them apart. Received means: counted in position, in the same transaction.
CREATE TABLE stream (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, name TEXT NOT NULL, boot_aware INTEGER NOT NULL, version TEXT,
  boot INTEGER NOT NULL, peer INTEGER NOT NULL, malformed INTEGER NOT NULL, position INTEGER NOT NULL, heard_at INTEGER,
  UNIQUE (source, name)
);
-- A time in which events may have been lost. Times are milliseconds since the epoch everywhere.
CREATE TABLE gap (
  stream_id INTEGER NOT NULL, began_at INTEGER, ended_at INTEGER, why TEXT NOT NULL
);
CREATE INDEX gap_by_time ON gap (stream_id, began_at);
-- The account. A row without a session is held: not yet proved real. Counters: sum(usage), while open live.
CREATE TABLE allocation (
  id INTEGER PRIMARY KEY, stream_id INTEGER NOT NULL, boot INTEGER NOT NULL, path BLOB NOT NULL,
  realm TEXT NOT NULL, username TEXT NOT NULL, coturn_id TEXT NOT NULL,
  key TEXT, device TEXT, account TEXT, labels TEXT, fits INTEGER, session_id INTEGER,
  transport TEXT, server_address TEXT, client_address TEXT, tls TEXT,
  opened_at INTEGER, heard_at INTEGER, goodbye_at INTEGER, closed_at INTEGER, carrier_at INTEGER,
  lifetime INTEGER, refreshes INTEGER,
  unheard_packets INTEGER, unheard_bytes INTEGER,
  corrections INTEGER, ended INTEGER NOT NULL DEFAULT 0, server_hash INTEGER, client_hash INTEGER,
  relay_to INTEGER, flags INTEGER, quality TEXT, missing_max INTEGER
);
CREATE INDEX allocation_by_session ON allocation (session_id);
CREATE INDEX allocation_by_device ON allocation (device, session_id);
-- The hot row of an allocation in memory: numbers only, no index. The order of columns is core/table.ts'.
CREATE TABLE live (
  id INTEGER PRIMARY KEY, client_at INTEGER, peer_at INTEGER, rate REAL, last_counts INTEGER, relay_to INTEGER,
  expires_at INTEGER, flags INTEGER, ${sides}
);
-- Append-only. side 0 = client, 1 = peer. entry 0 = measured, above = came after the end.
-- bucket = its start in seconds since the epoch, -1 = unknown.
CREATE TABLE usage (
  allocation_id INTEGER NOT NULL, bucket INTEGER NOT NULL, side INTEGER NOT NULL, entry INTEGER NOT NULL, ${counters},
  PRIMARY KEY (allocation_id, bucket, side, entry)
) WITHOUT ROWID;
CREATE TRIGGER usage_is_not_changed BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE TRIGGER usage_is_not_removed BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- A label given to allocations. carried, open and last_closed are its tally (core/session.ts); all else is selected.
CREATE TABLE session (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, carried INTEGER NOT NULL, open INTEGER NOT NULL, last_closed INTEGER,
  settled_at INTEGER, revision INTEGER NOT NULL
);
CREATE UNIQUE INDEX session_open ON session (key) WHERE settled_at IS NULL;
CREATE INDEX session_ending ON session (last_closed) WHERE settled_at IS NULL AND open = 0;
-- What was reported under a name and never proved real; realm and username null: the names beyond the limit.
CREATE TABLE rejected (
  key TEXT PRIMARY KEY, stream_id INTEGER NOT NULL, realm TEXT, username TEXT, first_at INTEGER, last_at INTEGER,
  allocations INTEGER NOT NULL, ${sides}
) WITHOUT ROWID;
${HEAD}${OUTBOX}${LOG}
PRAGMA user_version = ${SCHEMA_VERSION};
`
