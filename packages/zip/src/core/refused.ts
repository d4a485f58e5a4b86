/** Why the content of an entry is not told, though the entry need not be damaged. */
export type Refusal =
  /** It is packed in a way that is not read. */
  | 'method'
  /** It is encrypted, and no password was given, or in a way that is not read. */
  | 'encrypted'
  /** The password is not the one it was encrypted with. */
  | 'password'

/** An entry that is whole as far as one can see, and not read all the same: why, in one line without its name. */
export class Refused extends Error {
  readonly kind: Refusal

  constructor(kind: Refusal, message: string) {
    super(message)
    this.kind = kind
  }
}
