/** One way to attack SHA-1: a pattern of small disturbances that run through all eighty steps and cancel out. */
export interface DisturbanceVector {
  /** How the first sixteen words of the attacked block differ from those of its twin, as an exclusive or. */
  readonly differences: Int32Array
  /** A step before which the two computations agree in all of their state: 58 or 65. */
  readonly commonStep: 58 | 65
}

/** The vectors of the first type that attacks can use, as step and rotation. */
const TYPE_1: readonly (readonly [step: number, rotation: number])[] = [
  [43, 0],
  [44, 0],
  [45, 0],
  [46, 0],
  [46, 2],
  [47, 0],
  [47, 2],
  [48, 0],
  [48, 2],
  [49, 0],
  [49, 2],
  [50, 0],
  [50, 2],
  [51, 0],
  [51, 2],
  [52, 0],
]

/** The same for the second type. */
const TYPE_2: typeof TYPE_1 = [
  [45, 0],
  [46, 0],
  [46, 2],
  [47, 0],
  [48, 0],
  [49, 0],
  [49, 2],
  [50, 0],
  [50, 2],
  [51, 0],
  [51, 2],
  [52, 0],
  [53, 0],
  [54, 0],
  [55, 0],
  [56, 0],
]

/**
 * Builds the 32 disturbance vectors that matter, those of the first type first.
 *
 * The two types are S. Manuel's classes (Classification and generation of disturbance vectors for collision attacks
 * against SHA-1, 2011); which of them an attacker can afford is M. Stevens' analysis (Counter-cryptanalysis, 2013).
 */
export function createDisturbanceVectors(): readonly DisturbanceVector[] {
  return [
    ...TYPE_1.map(([step, rotation]) => createVector(1, step, rotation)),
    ...TYPE_2.map(([step, rotation]) => createVector(2, step, rotation)),
  ]
}

/** Steps before the first that the vector must be known for: a disturbance is corrected for five steps. */
const BEFORE = 5

function createVector(type: 1 | 2, step: number, rotation: number): DisturbanceVector {
  // Sixteen words in a row define a vector; they follow the recurrence of SHA-1's message expansion both ways.
  const vector = new Int32Array(BEFORE + 80)
  const at = BEFORE + step
  vector[at + 15] = rotateLeft(1, rotation)
  if (type === 2) {
    vector[at + 1] = rotateLeft(0x80000000, rotation)
    vector[at + 3] = rotateLeft(0x80000000, rotation)
  }
  for (let t = at + 16; t < vector.length; t++) {
    vector[t] = rotateLeft(vector[t - 3]! ^ vector[t - 8]! ^ vector[t - 14]! ^ vector[t - 16]!, 1)
  }
  for (let t = at - 1; t >= 0; t--) {
    vector[t] = rotateLeft(vector[t + 16]!, 31) ^ vector[t + 13]! ^ vector[t + 8]! ^ vector[t + 2]!
  }

  // A disturbed bit reaches the other words of the state in the next five steps, where the message takes it back.
  const differences = new Int32Array(16)
  for (let t = 0; t < 16; t++) {
    const now = BEFORE + t
    differences[t] =
      vector[now]! ^
      rotateLeft(vector[now - 1]!, 5) ^
      vector[now - 2]! ^
      rotateLeft(vector[now - 3]! ^ vector[now - 4]! ^ vector[now - 5]!, 30)
  }
  return { differences, commonStep: step < 50 ? 58 : 65 }
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count))
}
