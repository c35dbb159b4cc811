import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { createCallbackSink } from '../../../src/hub/events/event-sink.ts'
import { createHub } from '../../../src/hub/hub.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'

/**
 * A process that commits until it is killed: says `commit <id>` when one was acknowledged, `event <id>` when one was told of, which is
 * when three more were acknowledged: there is always something left to tell.
 */
const [path = ''] = process.argv.slice(2)
const database = await openNodeDatabase({ path })
let acknowledged = 0
let told = 0
const sink = createCallbackSink('child', async (event) => {
  if (!event.type.endsWith('.pushed')) return
  while (acknowledged < told + 4) await new Promise((resolve) => setTimeout(resolve, 1))
  told++
  process.stdout.write(`event ${String(event.payload['after'])}\n`)
})
const hub = createHub({
  origin: 'https://hub.example',
  account: 'acct',
  codecs: createNodeCodecs(),
  storage: createSqliteStorage({ database }),
  registry: createSqliteRegistry({ database }),
  events: { sinks: [sink] },
})
const artifacts = hub.artifacts('team')
await artifacts.create('busy')
const repo = await artifacts.get('busy')
for (let at = 0; ; at++) {
  const outcome = await repo.commit({
    message: `${at}`,
    author: { name: 'A', email: 'a@example.com' },
    changes: [{ path: 'file', content: `${at}` }],
  })
  if (outcome.kind !== 'committed') continue
  acknowledged++
  process.stdout.write(`commit ${outcome.commit}\n`)
}
