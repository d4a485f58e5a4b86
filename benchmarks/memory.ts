/**
 * How much resident memory does a live allocation cost, all threads together, without garbage?
 *
 * Above the same process with a few, through whose ledger as many have gone as it takes to fill its caches. Each
 * allocation reports every 10 s, as one of 100 packets a second each way does, up to what the store keeps up with.
 */
import { spread, startSubject, TOKEN } from './process.ts'
import { type Coturn, startCoturn } from './stream.ts'

const sizes = (process.argv[2] ?? '10000,100000,1000000').split(',').map(Number)
const FEW = 1000
const WAVES = 10
const REPORT_SECONDS = 10
const EVENTS_PER_SECOND_MAX = 50_000
/** A megabyte comes and goes with the C library: with few allocations it takes some rounds to see through. */
const roundsOf = (live: number) => (live > 100_000 ? 1 : live > 10_000 ? 3 : 5)

process.stdout.write(`resident bytes for each live allocation, above the same process with ${FEW}\n\n`)
for (const live of sizes) {
  for (const name of ['fettle', 'bare']) {
    const found: number[] = []
    for (let round = 0; round < roundsOf(live); round++) found.push(await measure(name, live))
    const { median, least, most } = spread(found)
    const figures = `${median.toFixed(0).padStart(6)} B  (${least.toFixed(0)} to ${most.toFixed(0)})`
    process.stdout.write(`${String(live).padStart(9)}  ${name.padEnd(8)}${figures}\n`)
  }
}

async function measure(name: string, live: number): Promise<number> {
  const subject = await startSubject(name, 1)
  const rate = Math.min((2 * live) / REPORT_SECONDS, EVENTS_PER_SECOND_MAX)
  const coturns: Coturn[] = []
  let opened = 0
  const open = async (allocations: number) => {
    const coturn = await startCoturn(subject.port, TOKEN, allocations, opened + 1)
    opened += allocations
    coturns.push(coturn)
    await coturn.open(subject.opened)
    return coturn
  }
  for (let wave = 0; wave < WAVES; wave++) {
    await (await open(FEW)).end()
  }
  let reported = 0
  const residentWith = async (allocations: number) => {
    reported += await (await open(allocations)).report(rate, REPORT_SECONDS * 1000)
    await subject.stored(reported)
    const { rss } = await subject.costWithoutGarbage()
    return rss
  }
  const few = await residentWith(FEW)
  const many = await residentWith(live)
  for (const coturn of coturns) coturn.close()
  await subject.stop()
  return (many - few) / live
}
