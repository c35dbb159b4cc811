import { mkdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { startDiskS3Server } from '../support/buckets/disk-s3-server.ts'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { findFaults } from '../support/repositories.ts'
import { startServe } from '../support/servers/packstone.ts'
import { cloneWorkTree } from '../support/work-tree.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()

/** Where repositories are, as servers and maintenance are told. */
interface Place {
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  sqlite: () =>
    Promise.resolve({
      args: ['--storage', 'sqlite', '--data', scratch.fresh('data')],
      environment: {},
      close: () => Promise.resolve(),
    }),
  s3: async () => {
    const folder = scratch.fresh('bucket')
    await mkdir(folder)
    const store = await startDiskS3Server(folder)
    const { endpoint, bucket, accessKeyId, secretAccessKey } = store
    return {
      args: ['--storage', 's3', '--endpoint', endpoint, '--bucket', bucket, '--prefix', 'team/'],
      environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      close: () => store.close(),
    }
  },
}

describe.each(Object.keys(PLACES))('maintain --gc --storage %s beside a server', (name) => {
  test('packs what was pushed, while others push and clone, and loses nothing of it', async () => {
    const place = await PLACES[name]?.()
    if (place === undefined) throw new Error(`no place ${name}`)
    const { args, environment } = place
    const serve = ['--plain', ...args, '--allow-push', '--create-on-push', '--maintain', 'off', '--quiet']
    const server = await startServe(serve, [], environment)
    try {
      const url = `${server.url}/a.git`
      const work = scratch.fresh('work')
      await git(['init', '-q', '-b', 'main', work])
      await git(['commit', '-q', '--allow-empty', '-m', 'begin'], { cwd: work })
      await git(['push', '-q', url, 'HEAD:refs/heads/main'], { cwd: work })
      const tree = await cloneWorkTree(url, scratch.fresh('tree'))
      const push = async (file: string): Promise<void> => {
        await tree.commit(file, `${file}\n`.repeat(100))
        await tree.git('push', '-q', 'origin', 'HEAD')
      }
      const clone = async (): Promise<void> => {
        const path = scratch.fresh('clone')
        await git(['clone', '-q', '--mirror', url, path])
        expect(await findFaults(path)).toEqual([])
      }
      for (let round = 0; round < 2; round++) {
        for (let at = 0; at < 3; at++) await push(`before-${round}-${at}`)
        const [maintained] = await Promise.all([
          runPackstone(['maintain', '--gc', ...args], { environment }),
          push(`beside-${round}`).then(() => push(`beside-${round}-too`)),
          clone(),
        ])
        expect(maintained).toMatchObject({ code: 0, stderr: '' })
        expect(maintained.stdout.toString()).toMatch(/^a: packed \d+ objects/)
      }
      await clone()
      const head = await git(['rev-parse', 'HEAD'], { cwd: tree.path })
      expect(await git(['ls-remote', url, 'refs/heads/main'])).toBe(`${head}\trefs/heads/main`)
    } finally {
      await server.close()
      await place.close()
    }
  })
})
