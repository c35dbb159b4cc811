import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRefTable } from '../../../src/refs/ref-table.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { countCalls } from '../../support/buckets/wrapped-bucket.ts'
import { CREATE, idOf, openStorage, set } from './fixture.ts'

describe('refs in a bucket', () => {
  test('a push to one of 100 000 refs writes some kilobytes, also averaged over many pushes', async () => {
    const counted = countCalls(createMemoryBucket())
    const repository = await openStorage(counted.bucket).create('a', CREATE)
    const count = 100_000
    const names = Array.from({ length: count }, (_, at) => `refs/heads/topic/${at % 100}/${at}`)
    await repository.commit({ refs: names.map((name, at) => set(name, at)) })
    const whole = counted.calls.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(whole).toBeLessThan(10_000_000)

    counted.calls.length = 0
    const pushes = 1000
    for (let push = 0; push < pushes; push++) {
      const at = (push * 7919) % count
      await repository.commit({ refs: [set(names[at] ?? '', at + 1, at)] })
    }
    const manifests = counted.calls.filter(({ key }) => key.startsWith('m/')).map(({ bytes }) => bytes)
    expect(Math.max(...manifests)).toBeLessThan(32_000)
    const bytes = counted.calls.reduce((sum, call) => sum + call.bytes, 0)
    expect(bytes / pushes).toBeLessThan(20_000)
    expect(counted.calls.length / pushes).toBeLessThan(1.1)
    const listed = await repository.listRefs('refs/heads/')
    expect(listed).toHaveLength(count)
  })

  test('stay few tables, and are read with few requests by a process that knows nothing', async () => {
    const bucket = createMemoryBucket()
    const repository = await openStorage(bucket).create('a', CREATE)
    for (let push = 0; push < 60; push++) {
      await repository.commit({
        refs: Array.from({ length: 250 }, (_, at) =>
          set(`refs/heads/${(push * 131 + at * 17) % 9973}`, push),
        ),
      })
    }
    const counted = countCalls(bucket)
    const other = await openStorage(counted.bucket).open('a')
    counted.calls.length = 0
    const listed = (await other?.listRefs('refs/')) ?? []
    expect(listed.map(({ name }) => name)).toEqual(
      (await repository.listRefs('refs/')).map(({ name }) => name),
    )
    expect(counted.calls.length).toBeLessThanOrEqual(6)
  })

  test('are what a plain table says after any commits', async () => {
    const number = fc.integer({ min: 0, max: 400 })
    const change = fc.record({ at: number, value: fc.option(number, { freq: 3 }), tag: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 250 }), { maxLength: 8 }), async (rounds) => {
        const bucket = createMemoryBucket()
        const repository = await openStorage(bucket).create('a', CREATE)
        let expected = createRefTable()
        for (const round of rounds) {
          const changes = new Map(
            round.map(({ at, value, tag }) => [
              `refs/heads/${at}`,
              value === null
                ? null
                : {
                    target: { kind: 'direct', id: idOf(value) } as const,
                    peeled: tag ? idOf(value + 1) : null,
                  },
            ]),
          )
          expected = expected.edit(changes)
          await repository.commit({
            refs: [...changes].map(([name, value]) => ({
              name,
              expect: { kind: 'any' } as const,
              target: value?.target ?? null,
              ...(value === null ? {} : { peeled: value.peeled }),
            })),
          })
        }
        const other = await openStorage(bucket).open('a')
        expect(await other?.listRefs('refs/heads/')).toEqual(expected.list(''))
        expect(await other?.listRefs('refs/heads/1')).toEqual(expected.list('refs/heads/1'))
        expect(await other?.readRefs(['refs/heads/7', 'refs/heads/none'])).toEqual([
          expected.find('refs/heads/7'),
          undefined,
        ])
      }),
      { numRuns: 25 },
    )
  })

  test('a long shallow list and many events do not stay in the manifest', async () => {
    const bucket = createMemoryBucket()
    const repository = await openStorage(bucket).create('a', CREATE)
    const add = Array.from({ length: 3000 }, (_, at) => idOf(at))
    await repository.commit({ shallow: { add, remove: [] } })
    for (let at = 0; at < 40; at++) {
      await repository.commit({ events: () => [`${at}`.padEnd(2000, '.')] })
    }
    expect(bucket.objects.get('m/a')?.size).toBeLessThan(40_000)
    await repository.commit({ shallow: { add: [], remove: [idOf(1)] } })
    const other = await openStorage(bucket).open('a')
    expect(await other?.readShallow()).toEqual(add.filter((id) => id !== idOf(1)))
    const events = (await other?.readEvents(100)) ?? []
    expect(events.map(({ text }) => Number.parseInt(text, 10))).toEqual(
      Array.from({ length: 40 }, (_, at) => at),
    )
    await other?.dropEvents(events[16]?.sequence ?? 0)
    expect(await repository.readEvents(2)).toEqual(events.slice(17, 19))
    await repository.dropEvents(1e9)
    expect(await repository.readEvents(2)).toEqual([])
  })
})
