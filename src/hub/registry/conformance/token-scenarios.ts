import { assertEqual } from '../../../storage/conformance/assertions.ts'
import { scenario, type RegistryScenario } from './registry-scenario.ts'
import { NOW, sampleId, sampleRepository, sampleToken } from './samples.ts'

export const tokenScenarios: readonly RegistryScenario[] = [
  scenario(
    'a token is found by its id and by its hash, and only while its repository is there',
    async (registry) => {
      const { record, token } = sampleRepository('a')
      await registry.createRepository({ record, token })
      const second = sampleToken('second', record.id, { scope: 'read', expiresAt: NOW + 1 })
      assertEqual(await registry.createToken(second, { keepOver: 9, events: ['made'] }), true, 'the creation')
      assertEqual(await registry.findToken(second.id), second, 'by id')
      assertEqual(await registry.findTokenByHash(second.hash), second, 'by hash')
      assertEqual(await registry.findTokenByHash('hash of nothing'), undefined, 'another hash')
      assertEqual(
        (await registry.readEvents(record.id, 9)).map(({ text }) => text),
        ['made'],
        'the events',
      )
      const orphan = sampleToken('orphan', sampleId('none'))
      assertEqual(await registry.createToken(orphan, { keepOver: 9, events: ['x'] }), false, 'an orphan')
      assertEqual(await registry.findToken(orphan.id), undefined, 'the orphan')
      assertEqual((await registry.readEvents(record.id, 9)).length, 1, 'the number of events')
    },
  ),
  scenario(
    'tokens are listed newest first, by state at a moment, page by page with their number',
    async (registry) => {
      const { record, token } = sampleRepository('a')
      await registry.createRepository({ record, token })
      const made = [token]
      for (const [at, name] of ['t1', 't2', 't3', 't4'].entries()) {
        const next = sampleToken(name, record.id, { expiresAt: at === 1 ? NOW + 10 : NOW + 99_000 })
        await registry.createToken(next, { keepOver: 9 })
        made.push(next)
      }
      await registry.revokeToken(sampleId('t1'), NOW + 1)
      const list = async (
        state?: 'active' | 'expired' | 'revoked',
        limit = 10,
        offset = 0,
      ): Promise<unknown> => {
        const query = { repository: record.id, now: NOW + 10, limit, offset }
        const found = await registry.listTokens(state === undefined ? query : { ...query, state })
        return [found.tokens.map(({ id }) => id), found.total]
      }
      assertEqual(await list('active'), [[sampleId('t4'), sampleId('t3'), token.id], 3], 'active ones')
      assertEqual(await list('expired'), [[sampleId('t2')], 1], 'expired ones')
      assertEqual(await list('revoked'), [[sampleId('t1')], 1], 'revoked ones')
      assertEqual(await list(undefined, 2, 1), [[sampleId('t3'), sampleId('t2')], 5], 'the second to third')
    },
  ),
  scenario('a token is revoked once, for every reader that asks afterwards', async (registry) => {
    const { record, token } = sampleRepository('a')
    await registry.createRepository({ record, token })
    const outcomes = await Promise.all([
      registry.revokeToken(token.id, NOW + 5, ['revoked']),
      registry.revokeToken(token.id, NOW + 5, ['revoked']),
    ])
    assertEqual(outcomes.filter(Boolean).length, 1, 'the number of successes')
    assertEqual((await registry.findTokenByHash(token.hash))?.revokedAt, NOW + 5, 'the moment')
    assertEqual((await registry.readEvents(record.id, 9)).length, 1, 'the number of events')
    assertEqual(await registry.revokeToken(sampleId('none'), NOW), false, 'what is not there')
  }),
  scenario(
    'of tokens that are over only the newest are remembered, and no active one is forgotten',
    async (registry) => {
      const { record, token } = sampleRepository('a')
      await registry.createRepository({ record, token })
      for (const name of ['o1', 'o2', 'o3']) {
        const over = sampleToken(name, record.id, { createdAt: NOW - 10, expiresAt: NOW - 5 })
        await registry.createToken(over, { keepOver: 9 })
      }
      await registry.createToken(sampleToken('new', record.id), { keepOver: 2 })
      const { tokens } = await registry.listTokens({
        repository: record.id,
        now: NOW,
        limit: 99,
        offset: 0,
      })
      const left = tokens.map(({ id }) => id)
      assertEqual(left, [sampleId('new'), sampleId('o3'), sampleId('o2'), token.id], 'what is left')
    },
  ),
]
