import { assertEqual } from '../../../storage/conformance/assertions.ts'
import { scenario, type RegistryScenario } from './registry-scenario.ts'
import { NOW, sampleNamespace, sampleRepository } from './samples.ts'

export const namespaceScenarios: readonly RegistryScenario[] = [
  scenario(
    'a namespace is found as it was made, in any case of its name, and made once',
    async (registry) => {
      const record = sampleNamespace('Team-One', { jurisdiction: 'eu', updatedAt: NOW + 1 })
      assertEqual(await registry.createNamespace(record), true, 'the first creation')
      const again = sampleNamespace('team-one')
      assertEqual(await registry.createNamespace(again), false, 'the creation in another case')
      for (const name of ['Team-One', 'team-one', 'TEAM-ONE']) {
        assertEqual(
          await registry.findNamespace(name),
          { ...record, repositoryCount: 0 },
          `the namespace ${name}`,
        )
      }
      assertEqual(await registry.findNamespace('team'), undefined, 'another namespace')
    },
  ),
  scenario(
    'namespaces are listed in the order of their names, page by page, with their number',
    async (registry) => {
      const names = ['delta', 'Alpha', 'charlie', 'bravo', 'echo']
      for (const name of names) await registry.createNamespace(sampleNamespace(name))
      const first = await registry.listNamespaces({ limit: 2, withTotal: true })
      assertEqual(
        [first.rows.map(({ name }) => name), first.total],
        [['Alpha', 'bravo'], 5],
        'the first page',
      )
      await registry.deleteNamespace('bravo')
      const rest = await registry.listNamespaces({
        limit: 3,
        ...(first.next === undefined ? {} : { after: first.next }),
      })
      assertEqual(
        [rest.rows.map(({ name }) => name), rest.next, rest.total],
        [['charlie', 'delta', 'echo'], undefined, undefined],
        'the last page',
      )
      const skipped = await registry.listNamespaces({ limit: 2, offset: 2 })
      assertEqual(
        skipped.rows.map(({ name }) => name),
        ['delta', 'echo'],
        'the page behind two others',
      )
    },
  ),
  scenario('a namespace is deleted only without repositories, and counts those it has', async (registry) => {
    assertEqual(await registry.deleteNamespace('space'), 'absent', 'deleting what is not there')
    const repository = sampleRepository('a')
    await registry.createRepository(repository)
    await registry.createRepository(sampleRepository('b', { status: 'importing', leaseUntil: NOW }))
    assertEqual((await registry.findNamespace('space'))?.repositoryCount, 2, 'the number of repositories')
    await registry.deleteRepository(repository.record.id, { tombstone: true })
    assertEqual(await registry.deleteNamespace('Space'), 'not-empty', 'deleting with a repository')
    await registry.deleteRepository(sampleRepository('b').record.id, { tombstone: false })
    assertEqual((await registry.findNamespace('space'))?.repositoryCount, 0, 'the number of repositories')
    assertEqual(await registry.deleteNamespace('Space'), 'deleted', 'deleting the empty namespace')
    assertEqual(await registry.findNamespace('space'), undefined, 'the deleted namespace')
    assertEqual(await registry.findTombstone('space', 'a'), undefined, 'a tombstone in it')
  }),
]
