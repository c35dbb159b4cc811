import type { CreateOperation } from './operation.ts'

/** What runs in process, by name; loaded when it is asked for, so that nobody pays for another's modules. */
export const OPERATIONS = {
  'index-pack': async () => (await import('./packstone.ts')).indexPackOperation,
  ingest: async () => (await import('./packstone.ts')).ingestOperation,
  read: async () => (await import('./packstone.ts')).readOperation,
  pack: async () => (await import('./packstone.ts')).packOperation,
  repack: async () => (await import('./packstone.ts')).repackOperation,
  clone: async () => (await import('./packstone.ts')).cloneOperation,
  'isomorphic-git indexPack': async () => (await import('./isomorphic-git.ts')).isomorphicIndexPack,
  'isomorphic-git readObject': async () => (await import('./isomorphic-git.ts')).isomorphicRead,
  'isomorphic-git packObjects': async () => (await import('./isomorphic-git.ts')).isomorphicPackObjects,
  'just-git ingestPack': async () => (await import('./just-git.ts')).justGitIngest,
  'just-git read': async () => (await import('./just-git.ts')).justGitRead,
  'just-git clone': async () => (await import('./just-git.ts')).justGitClone,
} as const satisfies Record<string, () => Promise<CreateOperation>>

export type OperationName = keyof typeof OPERATIONS
