import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import type { RepositoryStorage } from '../../storage/repository-storage.ts'

/**
 * What maintenance remembers of a pack, in a file derived from it: that its objects are unreachable, how hard deltas were searched, or
 * how often a budget was too small for it. Where it is lost, work is done again, and garbage is kept longer.
 */
export type PackNote =
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'searched'; readonly window: number; readonly depth: number }
  | { readonly kind: 'tried'; readonly times: number }

/** Reads the note of a pack; `undefined` where there is none that can be read. */
export async function readPackNote(storage: RepositoryStorage, pack: string): Promise<PackNote | undefined> {
  const bytes = await storage.readDerived(pack, 'maintenance')
  return bytes && parsePackNote(decodeUtf8(bytes))
}

export async function writePackNote(storage: RepositoryStorage, pack: string, note: PackNote): Promise<void> {
  await storage.writeDerived(pack, 'maintenance', encodeUtf8(JSON.stringify(note)))
}

/** Parses a note; what is not one is as good as none. */
export function parsePackNote(text: string): PackNote | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  if (value.kind === 'unreachable') return { kind: 'unreachable' }
  if (value.kind === 'tried' && 'times' in value && typeof value.times === 'number')
    return { kind: 'tried', times: value.times }
  if (value.kind !== 'searched' || !('window' in value) || !('depth' in value)) return undefined
  const { window, depth } = value
  if (typeof window !== 'number' || typeof depth !== 'number') return undefined
  return { kind: 'searched', window, depth }
}
