/** What burns a Redis' CPU. */

export { judge } from './core/judge.ts'
export { redisExplain } from './explain.ts'
