import { resolve } from 'node:path'
import { bundleWorker, importMiniflare, type Miniflare } from '../workers/miniflare.ts'

/** An S3-compatible server on this machine, with one empty bucket. */
export interface S3Server {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  close(): Promise<void>
}

const CREDENTIALS = { bucket: 'git', accessKeyId: 'test-key', secretAccessKey: 'test-secret' } as const

/** Starts a server: R2 inside workerd, a process of its own, behind as much of the S3 protocol as is needed. */
export async function startS3Server(): Promise<S3Server> {
  const MiniflareClass = await importMiniflare()
  const { bucket, accessKeyId, secretAccessKey } = CREDENTIALS
  const miniflare: Miniflare = new MiniflareClass({
    cf: false,
    modules: true,
    host: '127.0.0.1',
    // Tests and benchmarks run from the top of the project; the latter are bundled.
    script: await bundleWorker(resolve('test/support/buckets/s3-worker.ts')),
    compatibilityDate: '2026-04-01',
    r2Buckets: ['BUCKET'],
    bindings: { BUCKET_NAME: bucket, ACCESS_KEY: accessKeyId, SECRET_KEY: secretAccessKey },
  })
  const { origin } = await miniflare.ready
  return { endpoint: origin, ...CREDENTIALS, close: () => miniflare.dispose() }
}
