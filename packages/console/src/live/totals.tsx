import type { LiveSnapshot } from '@fettle/relay/api'
import { bitRate, whole } from '../text/format.ts'

export function Totals({ totals }: { totals: LiveSnapshot['totals'] }) {
  const { sessions, allocations, rates } = totals
  // Something is open, and has not reported yet.
  const isUnknown = allocations > 0 && rates.receivedBitsPerSecond + rates.sentBitsPerSecond === 0
  const rate = (bitsPerSecond: number) => (isUnknown ? '–' : bitRate(bitsPerSecond))
  return (
    <section class="totals" aria-label="Now">
      <Total title="Sessions open" value={whole(sessions)} />
      <Total title="Allocations open" value={whole(allocations)} />
      <Total title="Received" kind="received" value={rate(rates.receivedBitsPerSecond)} says="from clients" />
      <Total title="Sent" kind="sent" value={rate(rates.sentBitsPerSecond)} says="to clients" />
    </section>
  )
}

interface TotalProps {
  readonly title: string
  readonly value: string
  readonly kind?: 'received' | 'sent'
  readonly says?: string
}

function Total({ title, value, kind, says }: TotalProps) {
  const [number, unit] = value.split(' ')
  return (
    <dl class="total">
      <dt>
        {kind === undefined ? title : <span class={`key ${kind}`}>{title}</span>}
        {says !== undefined && <span class="quiet"> {says}</span>}
      </dt>
      <dd>
        {number}
        {unit !== undefined && <small> {unit}</small>}
      </dd>
    </dl>
  )
}
