/** What burns a Redis' CPU. */

export { redisCheck } from './check.ts'
export { judge } from './core/judge.ts'
export { redisExplain } from './explain.ts'
export { redisWatch } from './watch.ts'
