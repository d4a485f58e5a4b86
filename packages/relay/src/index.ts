/** The relay meter's public surface, nothing else. */

export { type Address, addressText, isLoopback, readAddress } from './address.ts'
export { type Checkup, checkup, type RecentName } from './checkup.ts'
export type { Quality } from './core/quality.ts'
export type { Outcomes, Reconciliation } from './core/reconcile.ts'
export {
  type AllocationFacts,
  type AllocationRecord,
  allocationRecord,
  type Counters,
  type Missing,
  type SessionRecord,
} from './core/record.ts'
export { DEFAULT_TEMPLATE, labelOf, readTemplate, type Template } from './core/session.ts'
export { csvHeader, csvLine, sessionCsv } from './csv.ts'
export { addServer, FolderFault, isHeld, ledgerFile, listServers, removeServer } from './folder.ts'
// The meter's parts, for those who string them otherwise.
export { type Clock, systemClock } from './ingest/clock.ts'
export { type LogNotice, type LogOptions, logSource } from './ingest/log-source.ts'
export { Recorder } from './ingest/recorder.ts'
export { type RedisNotice, type RedisOptions, redisSource } from './ingest/redis.ts'
export { type RespNotice, type RespOptions, type RespServer, respSource } from './ingest/resp.ts'
export type { Source } from './ingest/source.ts'
export { type Meter, type MeterOptions, startMeter } from './meter.ts'
export { type Outcome, readOptions, type ServeOptions } from './options.ts'
export { PLAYED_TEMPLATE, type PlayedCall, play } from './player.ts'
export { openLedger } from './read.ts'
export { reconcileFolder } from './reconcile/apply.ts'
export { type Difference, type FilePlan, planFrom } from './reconcile/plan.ts'
export { writeReconciliation } from './reconcile/wire.ts'
export { type Comparison, type Replay, ReplayFault, replay } from './replay.ts'
export { type Running, readRunning, readToken } from './running.ts'
export { DISK_FULL_BYTES, DISK_LOW_BYTES, gapReasonTexts, twinsTexts } from './serve/health.ts'
export { type ServeEvent, type ServeHost, type ServerLine, serve, statsdbLine } from './serve.ts'
export { checkSink, NO_TARGET, type SinkCheck, SinkFault } from './sink/check.ts'
export { type GapRecord, type RejectedRecord, readSessions, type SessionFilter } from './store/sessions.ts'
export { openSqlite, type SqliteOptions } from './store/sqlite.ts'
export type { Store } from './store/store.ts'
export { type Suggestion, suggest, suggestTemplate } from './suggest.ts'
