import { readFileSync, writeFileSync } from 'node:fs'

// Loaded before a program (node --import), writes the most memory that the process ever had resident, in bytes, when it ends.
const path = process.env['BENCH_MEMORY_REPORT']
process.on('exit', () => {
  if (path !== undefined) writeFileSync(path, String(peakBytes()))
})

function peakBytes(): number {
  if (process.platform !== 'linux') return 1024 * process.resourceUsage().maxRSS
  return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}
