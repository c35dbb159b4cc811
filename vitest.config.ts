import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/**/*.slow.test.ts'],
    setupFiles: ['test/support/fixed-seed.ts'],
    // Much of the time goes to waiting for servers and for git, so that none of the cores is left out.
    maxWorkers: availableParallelism(),
    // Against what hangs; no promise of ours is about time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
