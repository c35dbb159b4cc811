import type { ImportSource } from './import-source.ts'

/** What is noted in a record of an import that is under way: enough to begin it anew, and no credentials. */
export function encodeImportWork({ url, branch, depth, credentials }: ImportSource): string {
  const work = { kind: 'import', url, branch, depth, needsCredentials: credentials !== undefined }
  return JSON.stringify(work)
}

/** The source that is noted in a record; `undefined` where it cannot be imported again without asking. */
export function parseImportWork(text: string): ImportSource | undefined {
  let work: unknown
  try {
    work = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof work !== 'object' || work === null) return undefined
  const { kind, url, branch, depth, needsCredentials } = work as Partial<Record<string, unknown>>
  if (kind !== 'import' || typeof url !== 'string' || needsCredentials !== false) return undefined
  return {
    url,
    branch: typeof branch === 'string' ? branch : undefined,
    depth: typeof depth === 'number' ? depth : undefined,
    credentials: undefined,
  }
}
