import type { TokenRecord } from '../records.ts'
import { tokenState } from '../records.ts'
import type { RegistryEvents, TokenQuery } from '../registry.ts'
import { changeLive, readAddress, readLive, type BucketState } from './bucket-state.ts'
import type { Address } from './documents.ts'

/** False when its repository is gone. */
export async function createToken(
  state: BucketState,
  token: TokenRecord,
  options: { readonly keepOver: number; readonly events?: RegistryEvents },
): Promise<boolean> {
  const { objects, keys } = state
  const address = await readAddress(state, token.repository)
  if (address === undefined) return false
  const notes = [keys.token(token.id), keys.hash(token.hash)]
  for (const note of notes) await objects.write(note, address)
  const forgotten = await changeLive<TokenRecord[]>(state, address, options.events ?? [], (document) => {
    // A put that seemed to fail may have been ours.
    if (document.tokens.some(({ id }) => id === token.id)) return { answer: [] }
    const tokens = [...document.tokens, token]
    const over = tokens.filter((other) => tokenState(other, token.createdAt) !== 'active')
    const dropped = new Set(over.slice(0, Math.max(0, over.length - options.keepOver)))
    return {
      document: { ...document, tokens: tokens.filter((other) => !dropped.has(other)) },
      answer: [...dropped],
    }
  })
  await objects.delete(forgotten?.flatMap((other) => [keys.token(other.id), keys.hash(other.hash)]) ?? notes)
  return forgotten !== undefined
}

export async function findToken(state: BucketState, id: string): Promise<TokenRecord | undefined> {
  const document = await readLive(state, await state.objects.read<Address>(state.keys.token(id)))
  return document?.tokens.find((token) => token.id === id)
}

export async function findTokenByHash(state: BucketState, hash: string): Promise<TokenRecord | undefined> {
  const document = await readLive(state, await state.objects.read<Address>(state.keys.hash(hash)))
  return document?.tokens.find((token) => token.hash === hash)
}

export async function listTokens(
  state: BucketState,
  query: TokenQuery,
): Promise<{ readonly tokens: readonly TokenRecord[]; readonly total: number }> {
  const document = await readLive(state, await readAddress(state, query.repository))
  const found = (document?.tokens ?? [])
    .filter((token) => query.state === undefined || tokenState(token, query.now) === query.state)
    .reverse()
  return { tokens: found.slice(query.offset, query.offset + query.limit), total: found.length }
}

/** False when it was revoked before, or is not there. */
export async function revokeToken(
  state: BucketState,
  id: string,
  at: number,
  events: RegistryEvents,
): Promise<boolean> {
  const address = await state.objects.read<Address>(state.keys.token(id))
  const revoked = await changeLive(state, address, events, (document) => {
    const token = document.tokens.find((one) => one.id === id)
    if (token === undefined || token.revokedAt !== null) return { answer: false }
    const tokens = document.tokens.map((one) => (one === token ? { ...one, revokedAt: at } : one))
    return { document: { ...document, tokens }, answer: true }
  })
  return revoked === true
}
