import { storageConformance } from '../../../src/storage/conformance/index.ts'
import { createR2Storage, type R2BucketBinding } from '../../../src/storage/r2/index.ts'
import type { Storage } from '../../../src/storage/storage.ts'

interface Environment {
  readonly BUCKET: R2BucketBinding
}

let opened = 0

/** The program that workerd.test.ts runs: `/<name of a case>` runs it, below a prefix of its own; empty when it holds, else why not. */
export default {
  async fetch(request: Request, { BUCKET }: Environment): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1))
    const prefix = `case-${++opened}/`
    const open = (): Promise<Storage> =>
      Promise.resolve(createR2Storage({ bucket: BUCKET, prefix, probe: true }))
    const cases = storageConformance({ createStorage: open, reopen: open })
    try {
      await cases.find((one) => one.name === name)?.run()
      return new Response('')
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  },
}
