import { assertEqual } from '../../../storage/conformance/assertions.ts'
import { scenario, type RegistryScenario } from './registry-scenario.ts'
import { NOW, sampleId, sampleNamespace, sampleRepository } from './samples.ts'

export const repositoryScenarios: readonly RegistryScenario[] = [
  scenario('a repository is found as it was stored, by name in any case and by id', async (registry) => {
    const { record, token } = sampleRepository('My.Repo_1', {
      description: 'über 名前',
      defaultBranch: 'trunk',
      readOnly: true,
      source: 'artifacts:space/other',
      status: 'forking',
      updatedAt: NOW + 1,
      lastPushAt: NOW + 2,
      leaseUntil: NOW + 3,
      work: '{"from":"x"}',
    })
    assertEqual(await registry.createRepository({ record, token }), true, 'the creation')
    assertEqual(await registry.findRepository('SPACE', 'MY.repo_1'), record, 'by name')
    assertEqual(await registry.readRepository(record.id), record, 'by id')
    assertEqual(await registry.findToken(token.id), token, 'its token')
    assertEqual(await registry.findRepository('space', 'my'), undefined, 'another name')
    assertEqual(await registry.findRepository('other', 'My.Repo_1'), undefined, 'another namespace')
    assertEqual(await registry.readRepository(sampleId('none')), undefined, 'another id')
  }),
  scenario(
    'the first repository makes its namespace; later ones take its spelling and leave it as it is',
    async (registry) => {
      await registry.createNamespace(sampleNamespace('Given', { jurisdiction: 'us' }))
      await registry.createRepository(sampleRepository('a', { namespace: 'given' }))
      assertEqual((await registry.findRepository('given', 'a'))?.namespace, 'Given', 'the spelling')
      assertEqual((await registry.findNamespace('given'))?.jurisdiction, 'us', 'the jurisdiction')
      await registry.createRepository(sampleRepository('b', { namespace: 'New' }))
      assertEqual(
        await registry.findNamespace('new'),
        { ...sampleNamespace('New'), repositoryCount: 1 },
        'the made namespace',
      )
    },
  ),
  scenario(
    'of many concurrent creations of one name, in any case, exactly one succeeds',
    async (registry) => {
      const creations = ['name', 'Name', 'NAME', 'nAme', 'naMe', 'namE'].map((name, at) =>
        registry.createRepository(sampleRepository(name, { id: sampleId(`id${at}`) }, [`created ${at}`])),
      )
      const outcomes = await Promise.all(creations)
      assertEqual(outcomes.filter(Boolean).length, 1, 'the number of successes')
      const winner = outcomes.indexOf(true)
      assertEqual((await registry.findRepository('space', 'name'))?.id, sampleId(`id${winner}`), 'the winner')
      assertEqual((await registry.findNamespace('space'))?.repositoryCount, 1, 'the number of repositories')
      const events = await registry.readEvents(sampleId(`id${winner}`), 10)
      assertEqual(
        events.map(({ text }) => text),
        [`created ${winner}`],
        'the events',
      )
    },
  ),
  scenario('a repository becomes ready once, with what is known by then', async (registry) => {
    const { record, token } = sampleRepository('a', {
      status: 'importing',
      leaseUntil: NOW + 5,
      work: 'w',
    })
    await registry.createRepository({ record, token })
    const result = { updatedAt: NOW + 9, defaultBranch: 'trunk', source: 'git:x', events: ['imported'] }
    assertEqual(await registry.finishRepository(record.id, result), true, 'the first time')
    assertEqual(await registry.finishRepository(record.id, result), false, 'the second time')
    const finished = {
      ...record,
      status: 'ready',
      updatedAt: NOW + 9,
      defaultBranch: 'trunk',
      source: 'git:x',
      leaseUntil: null,
      work: null,
    }
    assertEqual(await registry.readRepository(record.id), finished, 'the repository')
    assertEqual((await registry.readEvents(record.id, 10)).length, 1, 'the number of events')
    assertEqual(await registry.finishRepository(sampleId('none'), result), false, 'what is not there')
  }),
  scenario(
    'a lease is renewed while the repository is being made, and taken over by one when it is over',
    async (registry) => {
      const { record, token } = sampleRepository('a', {
        status: 'importing',
        leaseUntil: NOW + 10,
        work: 'one',
      })
      await registry.createRepository({ record, token })
      await registry.createRepository(sampleRepository('b'))
      assertEqual(await registry.listStale(NOW + 9, 10), [], 'stale ones before the lease is over')
      assertEqual(await registry.takeLease(record.id, NOW + 9, NOW + 99), false, 'taking it too early')
      assertEqual(await registry.renewLease(record.id, NOW + 20, 'two'), true, 'renewing')
      assertEqual(await registry.listStale(NOW + 19, 10), [], 'stale ones before the new lease is over')
      const stale = await registry.listStale(NOW + 20, 10)
      assertEqual(
        stale.map(({ id, work, leaseUntil }) => [id, work, leaseUntil]),
        [[record.id, 'two', NOW + 20]],
        'stale ones',
      )
      const takers = [0, 1, 2].map(() => registry.takeLease(record.id, NOW + 20, NOW + 50))
      assertEqual((await Promise.all(takers)).filter(Boolean).length, 1, 'the number who took it')
      assertEqual(await registry.renewLease(record.id, NOW + 60), true, 'renewing without work')
      assertEqual((await registry.readRepository(record.id))?.work, 'two', 'the work')
      await registry.finishRepository(record.id, { updatedAt: NOW })
      assertEqual(await registry.renewLease(record.id, NOW + 99), false, 'renewing for a ready one')
      assertEqual(await registry.listStale(NOW + 999, 10), [], 'stale ones when it is ready')
    },
  ),
  scenario('pushes move the times of a repository forward only', async (registry) => {
    const { record, token } = sampleRepository('a')
    await registry.createRepository({ record, token })
    const times = async (): Promise<unknown> => {
      const found = await registry.readRepository(record.id)
      return [found?.lastPushAt, found?.updatedAt]
    }
    assertEqual(await times(), [null, NOW], 'before any push')
    await registry.recordPush(record.id, NOW + 50)
    assertEqual(await times(), [NOW + 50, NOW + 50], 'after a push')
    await registry.recordPush(record.id, NOW + 40)
    assertEqual(await times(), [NOW + 50, NOW + 50], 'after one that was earlier')
    await registry.recordPush(sampleId('none'), NOW)
  }),
  scenario(
    'a deleted repository is gone with its tokens, leaves a tombstone, and waits for its data to be removed',
    async (registry) => {
      const { record, token } = sampleRepository('Gone')
      await registry.createRepository({ record, token })
      const deletion = { tombstone: true, events: ['deleted'] }
      assertEqual(await registry.deleteRepository(record.id, deletion), true, 'the deletion')
      assertEqual(await registry.deleteRepository(record.id, deletion), false, 'the second deletion')
      assertEqual(await registry.findRepository('space', 'gone'), undefined, 'by name')
      assertEqual(await registry.readRepository(record.id), undefined, 'by id')
      assertEqual(await registry.findToken(token.id), undefined, 'its token')
      assertEqual(await registry.findTokenByHash(token.hash), undefined, 'its token by hash')
      assertEqual(await registry.findTombstone('Space', 'gONE'), record.id, 'its tombstone')
      assertEqual(
        (await registry.readEvents(record.id, 10)).map(({ text }) => text),
        ['deleted'],
        'the events',
      )
      assertEqual(await registry.listCleanups(10), [record.id], 'what is to be removed')
      await registry.finishCleanup(record.id)
      assertEqual(await registry.listCleanups(10), [], 'what is to be removed afterwards')
      assertEqual(await registry.findTombstone('space', 'gone'), record.id, 'its tombstone afterwards')
    },
  ),
  scenario('a name can be used again: the tombstone goes, and the old id stays gone', async (registry) => {
    const old = sampleRepository('name', { id: sampleId('old') })
    await registry.createRepository(old)
    await registry.deleteRepository(old.record.id, { tombstone: true })
    const young = sampleRepository('NAME', { id: sampleId('young') })
    assertEqual(await registry.createRepository(young), true, 'the creation')
    assertEqual(await registry.findTombstone('space', 'name'), undefined, 'the tombstone')
    assertEqual(await registry.deleteRepository(old.record.id, { tombstone: true }), false, 'the old id')
    assertEqual((await registry.findRepository('space', 'name'))?.id, young.record.id, 'the new one')
    await registry.deleteRepository(young.record.id, { tombstone: false })
    assertEqual(
      await registry.findTombstone('space', 'name'),
      undefined,
      'no tombstone where none was wanted',
    )
  }),
]
