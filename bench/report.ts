import { cpus } from 'node:os'
import type { Corpus } from './corpus.ts'
import type { Measurement } from './measure.ts'

/** What was measured where: without it the figures say nothing. */
export interface Environment {
  readonly git: string
  readonly node: string
  readonly cpu: string
  readonly threads: string
  readonly smoke: boolean
}

export function describeEnvironment(git: string, smoke: boolean): Environment {
  const all = cpus()
  return {
    git,
    node: process.version,
    cpu: `${all.length} x ${all[0]?.model ?? 'unknown'}`,
    threads: 'one on each side for index-pack and repack (git --threads=1); servers and clients as they come',
    smoke,
  }
}

/** The report as a person reads it. */
export function formatReport(
  environment: Environment,
  corpora: readonly Corpus[],
  measurements: readonly Measurement[],
): string {
  const lines = [
    `${environment.git}, Node ${environment.node}, ${environment.cpu}`,
    `threads: ${environment.threads}`,
    'ratio = median over rounds of time / time of the first line of its group, in rotation on one machine;',
    'below 1 is faster. Only ratios are results: absolute times move with the machine.',
  ]
  if (environment.smoke) lines.push('SMOKE RUN: shows that the benchmarks work. Its figures mean nothing.')
  for (const { name, objects, packBytes } of corpora) {
    lines.push(`corpus ${name}: ${objects} objects, pack of ${(packBytes / 1e6).toFixed(2)} MB`)
  }
  const rows = [['job', 'corpus', 'who', 'ratio', 'spread', 'ms', 'bytes']]
  for (const { job, corpus, contender, ratio, spread, milliseconds, bytes } of measurements) {
    const range = `${spread[0].toFixed(2)}-${spread[1].toFixed(2)}`
    rows.push([
      job,
      corpus,
      contender,
      ratio.toFixed(2),
      range,
      milliseconds.toFixed(1),
      bytes === 0 ? '' : String(bytes),
    ])
  }
  return `${lines.join('\n')}\n\n${alignColumns(rows)}\n`
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const align = (cell: string, column: number): string =>
    column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n')
}
