/** Where the seconds of a slow login go. */

export { sshCheck } from './check.ts'
export { judge } from './core/judge.ts'
export { sshExplain } from './explain.ts'
export { sshChange } from './server/change.ts'
