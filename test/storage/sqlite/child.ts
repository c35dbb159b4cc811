import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { CHUNK_BYTES, packBytes, packName, REFS, roundId } from './child-rounds.ts'

/**
 * A process that works on a database beside others: says each time when something was acknowledged.
 *
 * - `rounds <first>`: replaces the one pack and moves all refs, from round to round, until it is killed.
 * - `count <times>`: so many times adds one to the number in a ref, by compare-and-swap, and tries again when it lost.
 * - `large <bytes>`: writes a pack, commits it, reads it back, and says how much memory that took at most, in MiB.
 */
const [path = '', work = '', argument = '0'] = process.argv.slice(2)
const storage = createSqliteStorage({
  database: await openNodeDatabase({ path }),
  ...(work === 'rounds' ? { chunkBytes: CHUNK_BYTES } : {}),
})
const repository = await storage.open('a')
if (repository === undefined) throw new Error(`no repository in ${path}`)
if (work === 'rounds') await goRounds(repository, Number(argument))
if (work === 'count') await count(repository, Number(argument))
if (work === 'large') await moveLarge(repository, Number(argument))
await storage.close()

async function goRounds(repository: RepositoryStorage, first: number): Promise<never> {
  for (let round = first; ; round++) {
    const writer = await repository.createFile('pack')
    await writer.write(packBytes(round))
    const index = await repository.createFile('idx')
    await index.write(Uint8Array.of(round))
    await repository.commit({
      addPacks: [{ name: packName(round), pack: await writer.finish(), index: await index.finish() }],
      dropPacks: [packName(round - 1)],
      refs: REFS.map((name) => ({
        name,
        expect: round === 0 ? { kind: 'absent' } : { kind: 'id', id: roundId(round - 1) },
        target: { kind: 'direct', id: roundId(round) },
      })),
      atomic: true,
      shallow: { add: [roundId(round)], remove: round === 0 ? [] : [roundId(round - 1)] },
    })
    process.stdout.write(`${round}\n`)
    await repository.writeDerived(packName(round), 'reachability', packBytes(round))
  }
}

async function count(repository: RepositoryStorage, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const [ref] = await repository.readRefs(['refs/heads/number'])
    const held = ref?.target.kind === 'direct' ? ref.target.id : undefined
    const next = held === undefined ? 0 : Number.parseInt(held, 16)
    const { refs } = await repository.commit({
      refs: [
        {
          name: 'refs/heads/number',
          expect: held === undefined ? { kind: 'absent' } : { kind: 'id', id: held },
          target: { kind: 'direct', id: roundId(next) },
        },
      ],
    })
    if (refs[0]?.kind !== 'applied') continue
    process.stdout.write(`${next}\n`)
    done++
  }
}

async function moveLarge(repository: RepositoryStorage, size: number): Promise<void> {
  const buffer = new Uint8Array(1 << 20)
  const writer = await repository.createFile('pack')
  for (let at = 0; at < size; at += buffer.length) {
    buffer.fill(at / buffer.length)
    await writer.write(buffer)
  }
  const index = await (await repository.createFile('idx')).finish()
  await repository.commit({ addPacks: [{ name: packName(0), pack: await writer.finish(), index }] })
  const file = await repository.openPackFile(packName(0), 'pack')
  for (let at = 0; at < file.size; at += buffer.length) {
    const [bytes] = await file.read([{ offset: at, length: buffer.length }])
    if (bytes?.at(0) !== ((at / buffer.length) & 0xff)) throw new Error(`wrong bytes at ${at}`)
  }
  process.stdout.write(`${Math.round(process.resourceUsage().maxRSS / 1024)}\n`)
}
