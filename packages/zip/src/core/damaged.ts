/** What is wrong with an entry, as it is told. */
export type Damage = 'crc' | 'size' | 'data' | 'no-header' | 'outside'

/** An entry that is not what the directory of its archive says: why, in one line without its name. */
export class Damaged extends Error {
  readonly kind: Damage

  constructor(message: string, kind: Damage = 'data') {
    super(message)
    this.kind = kind
  }
}
