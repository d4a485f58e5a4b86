/** Looking at something that runs: what is seen decides where to look next, and in the end it is judged. */
import { type Judgement, reportOf } from '@fettle/report'
import { type AnswerOptions, answer } from './answer.ts'
import type { Command } from './command.ts'
import type { Io } from './io.ts'

/**
 * `O`: what was asked for. `F`: what is known so far. `X`: one thing to look at. `S`: what was seen of it.
 * All of it is pure, but for what `open` gives.
 */
export interface Check<O, F, X, S> {
  /** What is looked at, as it stands in the report. */
  subject(options: O): string
  /** Throws Unseen when there is nothing to be seen at all. */
  open(options: O, io: Io): Promise<Probe<F, X, S>>
  /** Undefined: it is enough. */
  next(options: O, facts: F): X | undefined
  learn(facts: F, x: X, seen: S): F
  judge(facts: F): Judgement
  /** In one line why what was asked for was not seen, though something was; null: it was. */
  failure?(facts: F): string | null
  /** How far it is, in a few words. */
  progress(options: O, facts: F): string
}

export interface Probe<F, X, S> {
  /** What is known before the first look. */
  readonly beginning: F
  observe(x: X): Promise<S>
  /** Everything is as it was before. Throws Unseen with what is not. */
  close(): Promise<void>
}

/** A look that is over, or that was broken off: what was seen until then is judged all the same. */
export async function lookAt<O, F, X, S>(check: Check<O, F, X, S>, options: O, io: Io): Promise<F> {
  const probe = await check.open(options, io)
  let facts = probe.beginning
  try {
    for (;;) {
      const x = io.signal.aborted ? undefined : check.next(options, facts)
      if (x === undefined) return facts
      io.progress(check.progress(options, facts))
      facts = check.learn(facts, x, await probe.observe(x))
    }
  } finally {
    io.progress('')
    await probe.close()
  }
}

/** The command that looks, judges and reports. */
export function diagnosis<O extends AnswerOptions, F, X, S>(
  about: Omit<Command<O>, 'run'>,
  check: Check<O, F, X, S>,
): Command<O> {
  return {
    ...about,
    async run(options, io) {
      const began = Date.now()
      const facts = await lookAt(check, options, io)
      const looked = { began, ended: Date.now() }
      const report = reportOf(about.name, check.subject(options), looked, check.judge(facts))
      return await answer(report, options, io, check.failure?.(facts))
    },
  }
}
