/** The relay meter's public surface, nothing else. */

export type { Quality } from './core/quality.ts'
export type { AllocationRecord, Counters, Missing, SessionRecord } from './core/record.ts'
export { FolderFault } from './folder.ts'
export { type Outcome, readOptions, type ServeOptions } from './options.ts'
export { openLedger } from './read.ts'
export { type Comparison, type Replay, ReplayFault, replay } from './replay.ts'
export { type ServeEvent, type ServerLine, serve } from './serve.ts'
export { type GapRecord, type RejectedRecord, readSessions, type SessionFilter } from './store/sessions.ts'
