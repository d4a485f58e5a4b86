/** What burns a Redis' CPU. */

export { redisChange } from './change.ts'
export { redisCheck } from './check.ts'
export { judge } from './core/judge/judge.ts'
export { redisExplain } from './explain.ts'
export { redisWatch } from './watch.ts'
