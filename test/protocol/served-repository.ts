import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { advertise, receivePack, uploadPack, type ServiceName } from '../../src/protocol/service.ts'
import { readProtocolOptions } from '../../src/protocol/server-config.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { gitBytes, tryGit } from '../support/git.ts'
import { chunked, collect } from './wire.ts'

export type Version = 0 | 1 | 2

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'packstone-protocol-'))
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

/** Opens a bare repository of git for our server; it is closed after the test. */
export async function openServed(path: string): Promise<Repository> {
  const storage = await openBareRepository(path, { durable: false })
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  const repository = openRepository(storage, { codecs: createNodeCodecs() })
  onTestFinished(() => repository.close())
  return repository
}

/** What our server answers to a fetch request. */
export async function ourFetch(
  path: string,
  version: Version,
  request: Uint8Array,
  cuts: readonly number[] = [],
): Promise<Uint8Array> {
  const repository = await openServed(path)
  const { uploadPack: options } = await readProtocolOptions(repository)
  return collect(uploadPack(repository, chunked(request, cuts), { version, options }))
}

/** What git answers to a fetch request; `undefined` when it gives up, which it does without a word to the client. */
export async function gitFetch(
  path: string,
  version: Version,
  request: Uint8Array,
): Promise<Uint8Array | undefined> {
  const env = { GIT_PROTOCOL: `version=${version}` }
  const { stdout, code } = await tryGit(['upload-pack', '--stateless-rpc', path], { input: request, env })
  return code === 0 ? stdout : undefined
}

/** What our server answers to a push request. */
export async function ourPush(
  path: string,
  request: Uint8Array,
  cuts: readonly number[] = [],
): Promise<Uint8Array> {
  const repository = await openServed(path)
  const { receivePack: options } = await readProtocolOptions(repository)
  return collect(receivePack(repository, chunked(request, cuts), { options }))
}

/** What git answers to a push request. */
export async function gitPush(path: string, request: Uint8Array): Promise<Uint8Array> {
  const { stdout } = await tryGit(['receive-pack', '--stateless-rpc', path], { input: request })
  return stdout
}

/** The advertisement of our server. */
export async function ourAdvertisement(
  path: string,
  service: ServiceName,
  version: Version,
): Promise<Uint8Array> {
  const repository = await openServed(path)
  return collect(advertise(repository, service, version, await readProtocolOptions(repository)))
}

/** The advertisement of git. */
export async function gitAdvertisement(
  path: string,
  service: ServiceName,
  version: Version,
): Promise<Uint8Array> {
  const command = service.slice('git-'.length)
  const env = { GIT_PROTOCOL: `version=${version}` }
  return gitBytes([command, '--stateless-rpc', '--http-backend-info-refs', path], { env })
}
