/** What was relayed since the start, by realm: counters for a scraper, which wants neither names nor history. */
import { grown } from './table.ts'

/** Realms told apart; further ones are counted together. */
const REALMS_MAX = 64
const WIDTH = 8

export class Relayed {
  /** Index 0: no realm, or one beyond the limit. */
  readonly realms: string[] = ['']
  /** For each realm rcvp, rcvb, sentp, sentb of the client side, then of the peer side. */
  readonly sums = new Float64Array((REALMS_MAX + 1) * WIDTH)
  /** By row of the table. */
  #realmOf: Uint8Array = new Uint8Array(1024)

  /** The row's allocation is of this realm. */
  place(row: number, realm: string): void {
    let index = this.realms.indexOf(realm)
    if (index < 0) index = this.realms.length <= REALMS_MAX ? this.realms.push(realm) - 1 : 0
    if (row >= this.#realmOf.length) this.#realmOf = grown(this.#realmOf, row + 1)
    this.#realmOf[row] = index
  }

  /** A counter never goes back: a total that is smaller than the reports (rule R9) takes nothing away here. */
  add(row: number, side: 0 | 1, d0: number, d1: number, d2: number, d3: number): void {
    const at = this.#realmOf[row]! * WIDTH + side * 4
    const { sums } = this
    if (d0 > 0) sums[at]! += d0
    if (d1 > 0) sums[at + 1]! += d1
    if (d2 > 0) sums[at + 2]! += d2
    if (d3 > 0) sums[at + 3]! += d3
  }
}
