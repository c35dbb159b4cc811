import { totalmem } from 'node:os'

/** What the engine takes of the machine, unless it is told otherwise: this part of its memory, and no more than that. */
const PART = 4
const MOST_BYTES = 512 << 20

/**
 * How much memory the engine should take on this host, in bytes, for `createMemoryBudget`: a quarter of what the process may have,
 * where a container says so, or of the machine's, and 512 MiB at most.
 */
export function hostMemoryBytes(): number {
  // Older versions say 0, or a number beyond all memory, when there is no constraint.
  const constrained = process.constrainedMemory()
  const total = totalmem()
  const available = constrained > 0 && constrained < total ? constrained : total
  return Math.min(MOST_BYTES, Math.floor(available / PART))
}
