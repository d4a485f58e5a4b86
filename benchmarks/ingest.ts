/**
 * How many events does a CPU-second take, all threads together, from the socket into the durable store?
 *
 * coturn's part is played at a fixed rate (so that batches are 50 ms and not larger), uniformly over the live
 * allocations, always the client's report and then the peer's. `fettle` stands beside `bare`, the loop one would write
 * in an hour, and `frames`, which keeps nothing; all of them in turn in every round. What the store holds at the end
 * must be what was sent.
 */
import { availableParallelism, cpus } from 'node:os'
import { spread, startSubject, TOKEN } from './process.ts'
import { startCoturn } from './stream.ts'

const cases = [
  { live: 1000, rate: 900_000 },
  { live: 10_000, rate: 300_000 },
  { live: 100_000, rate: 200_000 },
] as const
const names = ['fettle', 'bare', 'frames'] as const
const rounds = Number(process.argv[2] ?? 5)
const WARM_MS = 1500
const MEASURED_MS = 4000
/** In life an allocation of 100 packets a second each way reports every 10 s. */
const REPORT_SECONDS = 10

async function measure(name: string, live: number, rate: number): Promise<number> {
  const subject = await startSubject(name, (REPORT_SECONDS * rate) / 2 / live)
  const coturn = await startCoturn(subject.port, TOKEN, live)
  try {
    await coturn.open()
    let sent = await coturn.report(rate, WARM_MS)
    const before = await subject.cost()
    const answered = coturn.answered()
    sent += await coturn.report(rate, MEASURED_MS)
    await subject.stored(sent)
    const after = await subject.cost()
    return (coturn.answered() - answered) / (after.cpuSeconds - before.cpuSeconds)
  } finally {
    coturn.close()
    await subject.stop()
  }
}

const { model } = cpus()[0]!
process.stdout.write(
  `events per CPU-second, socket to store; ${rounds} rounds; ${availableParallelism()} x ${model}\n\n`,
)
for (const { live, rate } of cases) {
  const found = new Map<string, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) found.get(name)!.push(await measure(name, live, rate))
  }
  const ratios = found.get('fettle')!.map((value, i) => value / found.get('bare')![i]!)
  process.stdout.write(`${live} live allocations\n`)
  for (const name of names) {
    const { median, least, most } = spread(found.get(name)!)
    const k = (value: number) => `${Math.round(value / 1000)}k`
    process.stdout.write(`  ${name.padEnd(8)}${k(median).padStart(7)}  (${k(least)} to ${k(most)})\n`)
  }
  const { median, least, most } = spread(ratios)
  process.stdout.write(`  fettle / bare ${median.toFixed(2)}  (${least.toFixed(2)} to ${most.toFixed(2)})\n\n`)
}
