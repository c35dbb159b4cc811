import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import type { Position } from './registry.ts'

/**
 * Writes a place in a list down, for clients to hand back: opaque to them.
 *
 * @param list what the list is and how it is sorted, so that the cursor of another one is not taken.
 */
export function encodeCursor(list: string, { value, id }: Position): string {
  const bytes = encodeUtf8(JSON.stringify([list, value, id]))
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The place that a cursor of this list means; `undefined` for any other text. */
export function parseCursor(list: string, text: string): Position | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  let parsed: unknown
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    parsed = JSON.parse(decodeUtf8(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
  } catch {
    // Whatever is wrong with it, it is none of ours.
    return undefined
  }
  if (!Array.isArray(parsed) || parsed.length !== 3 || parsed[0] !== list) return undefined
  const [, value, id] = parsed as unknown[]
  if ((typeof value !== 'string' && typeof value !== 'number') || typeof id !== 'string') return undefined
  return { value, id }
}
