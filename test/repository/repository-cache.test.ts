import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { RepositoryCache } from '../../src/repository/repository-cache.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { eventually } from '../support/eventually.ts'

/** A cache of two, with a log of what it opens and closes. */
function cacheOfTwo(): { cache: RepositoryCache; log: string[] } {
  const log: string[] = []
  const open = async (path: string): Promise<Repository> => {
    log.push(`open ${path}`)
    await sleep(1)
    if (path === 'broken') throw new Error('cannot be opened')
    const close = (): Promise<void> => {
      log.push(`close ${path}`)
      return Promise.resolve()
    }
    // All that the cache does with a repository is to close it.
    return { close } as unknown as Repository
  }
  const cache = new RepositoryCache({ open, capacity: 2, onError: (error) => log.push(String(error)) })
  return { cache, log }
}

function at(path: string, identity = '1'): { path: string; identity: string } {
  return { path, identity }
}

it('a repository is opened once for however many ask for it', async () => {
  const { cache, log } = cacheOfTwo()
  const [one, two] = await Promise.all([cache.borrow(at('a')), cache.borrow(at('a'))])
  expect(one.repository).toBe(two.repository)
  one.release()
  two.release()
  expect((await cache.borrow(at('a'))).repository).toBe(one.repository)
  expect(log).toEqual(['open a'])
})

it('the least recently used repository is closed when there are too many', async () => {
  const { cache, log } = cacheOfTwo()
  for (const path of ['a', 'b', 'a', 'c']) (await cache.borrow(at(path))).release()
  await eventually(() => {
    expect(log).toEqual(['open a', 'open b', 'open c', 'close b'])
  })
})

it('a repository in use is not closed before it is given back', async () => {
  const { cache, log } = cacheOfTwo()
  const busy = await cache.borrow(at('a'))
  for (const path of ['b', 'c']) (await cache.borrow(at(path))).release()
  await sleep(5)
  expect(log).not.toContain('close a')
  busy.release()
  await eventually(() => {
    expect(log).toContain('close a')
  })
})

it('a folder that was replaced is opened anew, and the old one closed', async () => {
  const { cache, log } = cacheOfTwo()
  ;(await cache.borrow(at('a', '1'))).release()
  ;(await cache.borrow(at('a', '2'))).release()
  await eventually(() => {
    expect(log).toEqual(['open a', 'open a', 'close a'])
  })
})

it('a failure to open is told to everybody who waits, and is not remembered', async () => {
  const { cache, log } = cacheOfTwo()
  const results = await Promise.allSettled([cache.borrow(at('broken')), cache.borrow(at('broken'))])
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
  await expect(cache.borrow(at('broken'))).rejects.toThrow('cannot be opened')
  expect(log).toEqual(['open broken', 'open broken'])
  await cache.close()
  expect(log).toEqual(['open broken', 'open broken'])
})

it('closing waits until everything that is not in use is closed', async () => {
  const { cache, log } = cacheOfTwo()
  ;(await cache.borrow(at('a'))).release()
  const busy = await cache.borrow(at('b'))
  await cache.close()
  expect(log).toEqual(['open a', 'open b', 'close a'])
  busy.release()
  await eventually(() => {
    expect(log).toContain('close b')
  })
})
