import type { S3Server } from '../buckets/s3-server.ts'
import { startServe, type PackstoneServer } from './packstone.ts'

/** Starts `packstone serve --plain --storage s3` on a part of a bucket. */
export function serveBucket(
  store: S3Server,
  prefix: string,
  ...args: readonly string[]
): Promise<PackstoneServer> {
  return startOn(store, prefix, ['--plain', ...args])
}

/** The same with arguments for Node, and more in its environment. */
export function serveBucketBy(
  store: S3Server,
  prefix: string,
  args: readonly string[],
  nodeArgs: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<PackstoneServer> {
  return startOn(store, prefix, ['--plain', ...args], nodeArgs, environment)
}

/** Starts `packstone serve --storage s3`, a hub, on a part of a bucket. Its API token is `secret`. */
export function serveBucketHub(store: S3Server, prefix: string): Promise<PackstoneServer> {
  return startOn(store, prefix, ['--api-token', 'secret', '--data', '/nowhere/at/all'])
}

function startOn(
  store: S3Server,
  prefix: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<PackstoneServer> {
  const place = ['--endpoint', store.endpoint, '--bucket', store.bucket, '--prefix', prefix]
  return startServe(['--storage', 's3', ...place, ...args], nodeArgs, {
    ...environment,
    AWS_ACCESS_KEY_ID: store.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
  })
}
