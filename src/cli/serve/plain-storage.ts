import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BucketStorage } from '../../storage/s3/index.ts'
import type { Storage } from '../../storage/storage.ts'
import { misuse } from '../failure.ts'

export type PlainStorageKind = 'fs' | 'sqlite' | 'memory' | 's3'

/** Which storage, as the command line says it. */
export interface PlainStorageOptions {
  readonly storage: PlainStorageKind
  /** URL of an S3-compatible service, and the bucket there. */
  readonly endpoint?: string
  readonly bucket?: string
  /** Begins the names of all objects in the bucket. */
  readonly prefix?: string
}

/**
 * Opens a storage. Only the code of that one is loaded.
 *
 * @param data the folder where repositories are, or the database `packstone.db` is; made when it is not there. Not used with `s3`.
 */
export async function openPlainStorage(options: PlainStorageOptions, data: string): Promise<Storage> {
  if (options.storage !== 's3' && (options.endpoint ?? options.bucket ?? options.prefix) !== undefined) {
    throw misuse('--endpoint, --bucket and --prefix need --storage s3')
  }
  switch (options.storage) {
    case 's3':
      return openBucketStorage(options)
    case 'memory': {
      const { createMemoryStorage } = await import('../../storage/memory/index.ts')
      return createMemoryStorage()
    }
    case 'fs': {
      const { createFsStorage } = await import('../../storage/fs/index.ts')
      await mkdir(data, { recursive: true })
      return createFsStorage({ directory: data })
    }
    case 'sqlite': {
      const { createSqliteStorage } = await import('../../storage/sqlite/index.ts')
      const { openNodeDatabase } = await import('../../storage/sqlite/drivers/node.ts')
      await mkdir(data, { recursive: true })
      return createSqliteStorage({ database: await openNodeDatabase({ path: join(data, 'packstone.db') }) })
    }
  }
}

/**
 * Opens a storage in a bucket. Credentials are where all tools for S3 have them; they are no options, which everybody on the machine
 * could read.
 */
export async function openBucketStorage({
  endpoint,
  bucket,
  prefix,
}: PlainStorageOptions): Promise<BucketStorage> {
  if (endpoint === undefined || bucket === undefined)
    throw misuse('--storage s3 needs --endpoint and --bucket')
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION } = process.env
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw misuse('--storage s3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment')
  }
  const { createS3Storage } = await import('../../storage/s3/index.ts')
  const storage = createS3Storage({
    endpoint,
    bucket,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
    ...(AWS_REGION === undefined ? {} : { region: AWS_REGION }),
    ...(prefix === undefined ? {} : { prefix }),
  })
  await storage.probe()
  return storage
}
