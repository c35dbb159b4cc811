import { OPERATIONS, type OperationName } from '../inside/operations.ts'
import type { OperationArguments } from '../inside/operation.ts'

// Runs an operation as often as the parent asks, and tells what it took.
const [name, args = '{}'] = process.argv.slice(2)
const create = await OPERATIONS[name as OperationName]()
const operation = await create(JSON.parse(args) as OperationArguments)

process.on('message', () => {
  void runOnce().then(
    (sample) => process.send?.(sample),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  )
})
process.send?.({ ready: true })

async function runOnce(): Promise<{ milliseconds: number; cpuMilliseconds: number; bytes: number }> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const bytes = await operation()
  const milliseconds = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { milliseconds, cpuMilliseconds: (user + system) / 1000, bytes }
}
