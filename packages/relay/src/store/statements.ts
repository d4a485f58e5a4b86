/** The statements of a ledger, prepared once. */
import type { DatabaseSync } from 'node:sqlite'
import { USAGE_WIDTH } from '../core/state.ts'
import { Flag, HOT } from '../core/table.ts'

/** In a transaction its flags come last. */
const CARRIES = `(a.carrier_at IS NOT NULL OR a.flags & ${Flag.carrier} <> 0)`

const marks = (count: number) => Array(count).fill('?').join(',')

export type Statements = ReturnType<typeof prepare>

export function prepare(db: DatabaseSync) {
  return {
    insertAllocation: db.prepare(
      `INSERT INTO allocation
       (id, stream_id, boot, path, realm, username, coturn_id, key, device, account, labels, fits)
       VALUES (${marks(12)})`,
    ),
    describe: db.prepare(
      'UPDATE allocation SET transport = ?, server_address = ?, client_address = ?, tls = ? WHERE id = ?',
    ),
    describeClosing: db.prepare(
      `UPDATE allocation SET server_address = coalesce(server_address, ?), client_address = coalesce(client_address, ?),
       origin = ?, close_reason = ? WHERE id = ?`,
    ),
    deleteAllocation: db.prepare('DELETE FROM allocation WHERE id = ?'),
    allocation: db.prepare(
      `SELECT key, device, session_id, closed_at, ended, ${CARRIES} AS carrier FROM allocation a WHERE id = ?`,
    ),
    setSession: db.prepare('UPDATE allocation SET session_id = ? WHERE id = ?'),
    setCarrier: db.prepare(
      `UPDATE allocation SET carrier_at = ?, flags = coalesce(flags, 0) | ${Flag.carrier} WHERE id = ?`,
    ),
    setClosed: db.prepare('UPDATE allocation SET closed_at = ?, ended = ? WHERE id = ?'),
    setSpan: db.prepare('UPDATE allocation SET opened_at = ?, closed_at = ?, ended = ? WHERE id = ?'),
    openSession: db.prepare('SELECT * FROM session WHERE key = ? AND settled_at IS NULL'),
    session: db.prepare('SELECT * FROM session WHERE id = ?'),
    // By the device, which has an index; all allocations of a key have the same one.
    spansSince: db.prepare(
      `SELECT session_id, key, coalesce(opened_at, heard_at) AS began,
       CASE WHEN ended <> 0 THEN closed_at END AS closed, ${CARRIES} AS carrier FROM allocation a
       WHERE device = ? AND session_id IS NOT NULL AND (ended = 0 OR closed_at >= ?) ORDER BY began, id`,
    ),
    insertFinal: db.prepare('INSERT INTO session VALUES (NULL, ?, ?, 0, ?, ?, 0)'),
    tellFinal: db.prepare('INSERT INTO outbox (session_id, revision) VALUES (?, 0)'),
    insertSession: db.prepare('INSERT INTO session VALUES (NULL, ?, ?, ?, ?, NULL, 0)'),
    setTally: db.prepare('UPDATE session SET carried = ?, open = ?, last_closed = ? WHERE id = ?'),
    settle: db.prepare('UPDATE session SET settled_at = ? WHERE id = ?'),
    settleIdle: db.prepare(
      `UPDATE session SET settled_at = last_closed + ? WHERE settled_at IS NULL AND open = 0 AND last_closed < ?`,
    ),
    revise: db.prepare('UPDATE session SET revision = revision + 1 WHERE id = ?'),
    endedSession: db.prepare(
      `SELECT s.id FROM session s JOIN allocation a ON a.session_id = s.id
       WHERE a.id = ? AND s.open = 0 AND s.settled_at IS NULL
         AND (s.carried = 0 OR a.carrier_at IS NOT NULL OR a.flags & ${Flag.carrier} <> 0)`,
    ),
    facts: db.prepare(
      `UPDATE allocation SET opened_at = ?, heard_at = ?, goodbye_at = ?, lifetime = ?, refreshes = ?,
       unheard_packets = ?, unheard_bytes = ?, corrections = ?,
       server_hash = ?, client_hash = ?, relay_to = ?, flags = ?, quality = ?, missing_max = ?
       WHERE id = ?`,
    ),
    live: db.prepare(`REPLACE INTO live VALUES (${marks(HOT)})`),
    dropLive: db.prepare('DELETE FROM live WHERE id = ?'),
    usage: db.prepare(`INSERT INTO usage VALUES (${marks(USAGE_WIDTH)})`),
    gap: db.prepare('INSERT INTO gap VALUES (?, ?, ?, ?)'),
    rejected: db.prepare(`REPLACE INTO rejected VALUES (${marks(15)})`),
    countCommit: db.prepare('UPDATE head SET commits = commits + 1'),
    stream: db.prepare(
      'UPDATE stream SET boot = ?, peer = ?, malformed = ?, position = ?, heard_at = ?, cursor = ? WHERE id = ?',
    ),
  }
}
