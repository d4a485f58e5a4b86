/** The relay meter's public surface, nothing else. */

export type { Quality } from './core/quality.ts'
export type { AllocationRecord, Counters, Missing, SessionRecord } from './core/record.ts'
export { DEFAULT_TEMPLATE, readTemplate, type Template } from './core/session.ts'
export { FolderFault } from './folder.ts'
// The meter's parts, for those who string them otherwise.
export { type Clock, systemClock } from './ingest/clock.ts'
export { type RespNotice, type RespOptions, type RespServer, respSource } from './ingest/resp.ts'
export { type Meter, type MeterOptions, startMeter } from './meter.ts'
export { type Outcome, readOptions, type ServeOptions } from './options.ts'
export { openLedger } from './read.ts'
export { type Comparison, type Replay, ReplayFault, replay } from './replay.ts'
export { type ServeEvent, type ServerLine, serve } from './serve.ts'
export { type GapRecord, type RejectedRecord, readSessions, type SessionFilter } from './store/sessions.ts'
export { openSqlite, type SqliteOptions } from './store/sqlite.ts'
