import { encodeHex } from '../../bytes/hex.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { Jurisdiction, RepositoryRecord, TokenRecord, TokenScope } from '../registry/records.ts'
import { tokenState } from '../registry/records.ts'
import { repositoryNotFound } from '../repositories/find-repository.ts'
import { createId, isId } from '../repositories/repository-id.ts'
import { equalInConstantTime } from './constant-time.ts'
import { createSecret, parseSecret, tokenText } from './token-text.ts'

const MIN_TTL = 60
const MAX_TTL = 31_536_000
export const DEFAULT_TTL = 86_400

/** How many tokens that are over a repository remembers. */
const KEPT_TOKENS = 100

/** A token at the one moment at which its text is known. */
export interface MintedToken {
  readonly record: TokenRecord
  /** What its owner gets, once. Never stored, never logged. */
  readonly plaintext: string
}

/** Makes a token, without storing it. `ttl` is in seconds. */
export function mintToken(
  hub: HubContext,
  repository: string,
  options: { readonly scope: TokenScope; readonly ttl: number; readonly jurisdiction: Jurisdiction },
): MintedToken {
  const createdAt = hub.now()
  // Whole seconds, so that the hint in the text says the same.
  const expiresAt = (Math.floor(createdAt / 1000) + options.ttl) * 1000
  const secret = createSecret(options.jurisdiction, hub.random)
  return {
    record: {
      id: createId(hub.random),
      repository,
      hash: hashSecret(hub, secret),
      scope: options.scope,
      createdAt,
      expiresAt,
      revokedAt: null,
    },
    plaintext: tokenText(secret, expiresAt),
  }
}

/**
 * Makes and stores a token for a repository.
 *
 * @throws ArtifactsError `INVALID_TTL`; `NOT_FOUND` when the repository is gone
 */
export async function createToken(
  hub: HubContext,
  repository: RepositoryRecord,
  options: { readonly scope?: TokenScope; readonly ttl?: number } = {},
): Promise<MintedToken> {
  const { scope = 'write', ttl = DEFAULT_TTL } = options
  if (!isTtl(ttl)) {
    throw new ArtifactsError(
      'INVALID_TTL',
      `Invalid TTL ${ttl}: must be between ${MIN_TTL} and ${MAX_TTL} seconds.`,
      { restMessage: TTL_MESSAGE, pointer: '/ttl' },
    )
  }
  const namespace = await hub.registry.findNamespace(repository.namespace)
  const jurisdiction = namespace?.jurisdiction ?? 'unrestricted'
  const token = mintToken(hub, repository.id, { scope, ttl, jurisdiction })
  const events = hub.events.tokenCreated(repository, token.record)
  const created = await hub.registry.createToken(token.record, { keepOver: KEPT_TOKENS, events })
  if (!created) throw repositoryNotFound(repository.name)
  hub.delivery.notify(repository.id)
  return token
}

export const TTL_MESSAGE = `ttl must be between ${MIN_TTL} and ${MAX_TTL} seconds`

export function isTtl(ttl: number): boolean {
  return Number.isInteger(ttl) && ttl >= MIN_TTL && ttl <= MAX_TTL
}

/**
 * The token of a secret as the registry knows it now, whatever it opens and whether or not it is over; `undefined` for an unknown one.
 *
 * @param text as a client sent it, with or without its hint.
 */
export async function findPresentedToken(hub: HubContext, text: string): Promise<TokenRecord | undefined> {
  const secret = parseSecret(text)
  if (secret === undefined) return undefined
  const hash = hashSecret(hub, secret)
  const token = await hub.registry.findTokenByHash(hash)
  return token !== undefined && equalInConstantTime(token.hash, hash) ? token : undefined
}

/**
 * Revokes a token of a repository, given as its text or its id.
 *
 * @returns true when it was active until now; false for one that was not, and for one of another repository.
 * @throws ArtifactsError `INVALID_INPUT` for what is neither.
 */
export async function revokeToken(
  hub: HubContext,
  repository: RepositoryRecord,
  tokenOrId: string,
): Promise<boolean> {
  const isText = parseSecret(tokenOrId) !== undefined
  if (!isText && !isId(tokenOrId)) {
    throw new ArtifactsError('INVALID_INPUT', 'Invalid tokenOrId: must be a token id or artifact token.')
  }
  const token = isText ? await findPresentedToken(hub, tokenOrId) : await hub.registry.findToken(tokenOrId)
  if (token === undefined || token.repository !== repository.id) return false
  if (tokenState(token, hub.now()) !== 'active') return false
  return revokeRecord(hub, repository, token)
}

/** Revokes a token of a repository, whatever its state; false when it was revoked before. */
export async function revokeRecord(
  hub: HubContext,
  repository: RepositoryRecord,
  token: TokenRecord,
): Promise<boolean> {
  const now = hub.now()
  const events = hub.events.tokenRevoked(repository, token, now)
  const revoked = await hub.registry.revokeToken(token.id, now, events)
  if (revoked) hub.delivery.notify(repository.id)
  return revoked
}

function hashSecret(hub: HubContext, secret: string): string {
  const bytes = encodeUtf8(secret)
  const digest = new Uint8Array(32)
  hub.codecs.sha256.digestRangeInto(bytes, 0, bytes.length, digest, 0)
  return encodeHex(digest)
}
