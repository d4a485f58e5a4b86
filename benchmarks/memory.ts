/** How much resident memory does a live allocation cost, all threads together, above an empty meter? */
import { spread, startSubject, TOKEN } from './process.ts'
import { startCoturn } from './stream.ts'

const sizes = (process.argv[2] ?? '10000,100000,1000000').split(',').map(Number)
/** A few megabytes come and go with the garbage collector: with few allocations it takes many rounds to see through. */
const roundsOf = (live: number) => (live > 100_000 ? 1 : live > 10_000 ? 3 : 7)

process.stdout.write('resident bytes for each live allocation, above the same process with 1000\n\n')
process.stdout.write('     live  subject   all            without the JavaScript heaps\n')
for (const live of sizes) {
  for (const name of ['fettle', 'bare']) {
    const all: number[] = []
    const outside: number[] = []
    for (let round = 0; round < roundsOf(live); round++) {
      const { rss, heap } = await measure(name, live)
      all.push(rss)
      outside.push(rss - heap)
    }
    process.stdout.write(`${String(live).padStart(9)}  ${name.padEnd(8)}${figures(all)}  ${figures(outside)}\n`)
  }
}

function figures(values: readonly number[]): string {
  const { median, least, most } = spread(values)
  return `${median.toFixed(0).padStart(6)} B  (${least.toFixed(0)} to ${most.toFixed(0)})`
}

async function measure(name: string, live: number): Promise<{ rss: number; heap: number }> {
  const subject = await startSubject(name, 1)
  // The code is warm and its heaps grown before the first figure is taken.
  const few = await startCoturn(subject.port, TOKEN, 1000)
  await few.open(1000)
  await few.report(100_000, 3000)
  few.close()
  const empty = await subject.cost()
  const coturn = await startCoturn(subject.port, TOKEN, live)
  await coturn.open(live)
  await coturn.report(50_000, 3000)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const full = await subject.cost()
  coturn.close()
  await subject.stop()
  return { rss: (full.rss - empty.rss) / live, heap: (full.heap - empty.heap) / live }
}
