import type { Quantity } from '@fettle/relay/api'
import { amount, interval } from '../text/quantity.ts'

/** A number and how sure it is. */
export function Amount({ quantity }: { quantity: Quantity }) {
  const range = interval(quantity)
  return (
    <>
      {amount(quantity.value, quantity.unit)}
      {range !== undefined && <span class="quiet"> ({range})</span>}
    </>
  )
}
