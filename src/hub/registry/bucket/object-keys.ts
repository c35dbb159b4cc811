import { encodeHex } from '../../../bytes/hex.ts'
import { encodeUtf8 } from '../../../bytes/text.ts'
import { nameKey } from '../../names.ts'
import type { PendingMark } from '../records.ts'

/** Where an outbox is: in the document of a name, or in one of its own. */
export type OutboxKind = 'name' | 'stray'

/** Names of the objects of a registry, below a prefix. */
export interface ObjectKeys {
  readonly namespaces: string
  namespace(name: string): string
  /** Begins the keys of all names of a namespace. */
  names(namespace: string): string
  name(namespace: string, name: string): string
  /** What was last known of all names of a namespace. */
  namespaceIndex(namespace: string): string
  /** Lead to the address of a repository. */
  repository(id: string): string
  token(id: string): string
  hash(hash: string): string
  /** Repositories that are not ready, or were not. */
  readonly unready: string
  /** Repositories whose data is to be removed, once they are deleted. */
  readonly cleanups: string
  /** Outboxes that have events, or had: each note an object of its own, `<repository>/<kind>/<number>`. */
  readonly outboxes: string
  /** Begins the keys of all notes of one repository. */
  outboxesOf(repository: string): string
  /** @param kind whether the outbox is in the document of a name, or stands alone. */
  outbox(kind: OutboxKind, repository: string, number: number): string
  /** The outbox of events about what is not there. */
  stray(repository: string): string
  /** Marks, each an object of its own: `<repository>/<mark>-<moment>`. */
  readonly marks: string
  /** Begins the keys of all marks of one repository. */
  marksOf(repository: string): string
  mark(repository: string, mark: PendingMark): string
}

export function objectKeys(prefix: string): ObjectKeys {
  return {
    namespaces: `${prefix}n/`,
    namespace: (name) => `${prefix}n/${keyText(name)}`,
    names: (namespace) => `${prefix}r/${keyText(namespace)}/`,
    name: (namespace, name) => `${prefix}r/${keyText(namespace)}/${keyText(name)}`,
    namespaceIndex: (namespace) => `${prefix}l/${keyText(namespace)}`,
    repository: (id) => `${prefix}i/${keyText(id)}`,
    token: (id) => `${prefix}t/${keyText(id)}`,
    hash: (hash) => `${prefix}h/${keyText(hash)}`,
    unready: `${prefix}w/`,
    cleanups: `${prefix}c/`,
    outboxes: `${prefix}e/`,
    outboxesOf: (repository) => `${prefix}e/${keyText(repository)}/`,
    outbox: (kind, repository, number) => `${prefix}e/${keyText(repository)}/${kind}/${sortable(number)}`,
    stray: (repository) => `${prefix}x/${keyText(repository)}`,
    marks: `${prefix}p/`,
    marksOf: (repository) => `${prefix}p/${keyText(repository)}/`,
    mark: (repository, { mark, at }) => `${prefix}p/${keyText(repository)}/${sortable(mark)}-${at}`,
  }
}

/** A text as part of a key, in lower case. What keys cannot have, and `_`, is written as `_<hexadecimal>_`. */
export function keyText(text: string): string {
  return nameKey(text).replace(/[^a-z0-9.-]/gu, (letter) => `_${encodeHex(encodeUtf8(letter))}_`)
}

/** A whole number such that the order of texts is that of numbers. */
export function sortable(number: number): string {
  return String(number).padStart(16, '0')
}
