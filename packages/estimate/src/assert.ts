/** Wrong input is a bug of the caller: it ends here, before it becomes a figure that somebody believes. */

export function assertConfidence(confidence: number): void {
  if (!(confidence > 0 && confidence < 1)) throw new Error(`a confidence lies between 0 and 1: ${confidence}`)
}

export function assertFinite(values: ArrayLike<number>, what: string): void {
  assertAll(values, what, Number.isFinite, 'is not finite')
}

/** What can be added up: 0 or more, and finite. */
export function assertAmounts(values: ArrayLike<number>, what: string): void {
  assertAll(values, what, (value) => value >= 0 && value < Infinity, 'is no amount')
}

export function assertSameLength(a: ArrayLike<number>, b: ArrayLike<number>, what: string): void {
  if (a.length !== b.length) throw new Error(`${what}: ${a.length} and ${b.length} values`)
}

function assertAll(values: ArrayLike<number>, what: string, holds: (value: number) => boolean, fault: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!holds(values[i]!)) throw new Error(`${what}: value ${i}, ${values[i]}, ${fault}`)
  }
}
