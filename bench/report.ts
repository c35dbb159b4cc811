import { cpus } from 'node:os'
import type { Cores } from './cores.ts'
import type { Corpus } from './corpus.ts'
import { isMet, type Figure, type Row } from './row.ts'

/** What was measured where: without it the figures say nothing. */
export interface Environment {
  readonly git: string
  readonly node: string
  readonly peers: readonly string[]
  readonly cpu: string
  readonly cores: string
  readonly smoke: boolean
}

export function describeEnvironment(
  git: string,
  peers: readonly string[],
  cores: Cores,
  smoke: boolean,
): Environment {
  const all = cpus()
  const { measured, client } = cores
  return {
    git,
    node: process.version,
    peers,
    cpu: `${all.length} x ${all[0]?.model ?? 'unknown'}`,
    cores:
      measured === undefined || client === undefined
        ? 'nothing is pinned: servers and clients share what there is'
        : `what is measured is pinned to core ${measured}, the client to core ${client}`,
    smoke,
  }
}

/** What a person reads before the figures. */
export function formatHeader(environment: Environment, corpora: readonly Corpus[]): string {
  const lines = [
    [environment.git, `Node ${environment.node}`, ...environment.peers, environment.cpu].join(', '),
    `${environment.cores}; one thread on each side, unless a line says otherwise`,
    'time and bytes: median over the rounds of own / that of the line with a 1 above, in rotation in one run; below 1 is less.',
    'cpu: the same of user and system time, all rounds together: it suffers less from other work on the machine.',
    'Only ratios are results: absolute times move with the machine.',
  ]
  if (environment.smoke) lines.push('SMOKE RUN: shows that the benchmarks work. Its figures mean nothing.')
  for (const corpus of corpora) lines.push(formatCorpus(corpus))
  return `${lines.join('\n')}\n`
}

/** The rows of one job, as tables. */
export function formatRows(rows: readonly Row[], { smoke }: Environment): string {
  return `${formatGroups(rows, smoke).join('\n')}\n`
}

function formatCorpus({ name, objects, packBytes, expandedBytes, averageDepth }: Corpus): string {
  const whole = `${(expandedBytes / 1e6).toFixed(0)} MB of objects`
  const chains = `delta chains of ${averageDepth.toFixed(1)} on average`
  return `corpus ${name}: ${objects} objects, pack of ${(packBytes / 1e6).toFixed(2)} MB, ${whole}, ${chains}`
}

const HEAD = ['', '', 'time', 'spread', 'cpu', 'bytes', 'target', '', 'ms', 'bytes made']

function formatGroups(rows: readonly Row[], smoke: boolean): string[] {
  const cells = [HEAD, ...rows.map((row) => formatRow(row, smoke))]
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const align = (row: readonly string[]): string => {
    const padded = row.map((cell, column) =>
      column < 2 || column === 6 || column === 7
        ? cell.padEnd(widths[column] ?? 0)
        : cell.padStart(widths[column] ?? 0),
    )
    return `  ${padded.join('  ')}`.trimEnd()
  }
  const lines: string[] = []
  let former = ''
  rows.forEach((row, at) => {
    const title = row.corpus === '' ? row.job : `${row.job}: ${row.corpus}`
    if (title !== former) lines.push('', align([title.padEnd(widths[0] ?? 0), ...HEAD.slice(1)]).slice(2))
    former = title
    lines.push(align(cells[at + 1] ?? []))
  })
  return lines
}

function formatRow(row: Row, smoke: boolean): string[] {
  const find = (metric: Figure['metric']): Figure | undefined =>
    row.figures.find((figure) => figure.metric === metric)
  const main = row.figures[0]
  const isBaseline = main === undefined && row.rounds > 0
  return [
    row.who,
    row.conditions,
    isBaseline ? '1' : main === undefined || main.metric === 'bytes' ? '' : formatValue(main, main.value),
    main?.spread === undefined ? '' : main.spread.map(formatNumber).join('-'),
    formatFigure(find('cpu')),
    formatFigure(find('bytes')),
    formatTargets(row),
    smoke ? '' : formatVerdict(row),
    row.milliseconds === undefined ? '' : row.milliseconds.toFixed(1),
    row.bytes === undefined ? '' : String(row.bytes),
  ]
}

function formatTargets(row: Row): string {
  return row.figures
    .flatMap((figure) => {
      if (figure.target === undefined) return []
      const what = figure.metric === 'bytes' || figure.metric === 'requests' ? `${figure.metric} ` : ''
      return [`${what}≤ ${formatValue(figure, figure.target)}`]
    })
    .join(', ')
}

function formatVerdict(row: Row): string {
  const met = isMet(row)
  return met === undefined ? '' : met ? 'met' : 'MISSED'
}

/** Everything that was to reach something, what it reached and whether that was enough; and how many did. */
export function formatSummary(rows: readonly Row[]): string {
  const aimed = rows.flatMap((row) =>
    row.figures.flatMap((figure) =>
      figure.target === undefined ? [] : [{ row, figure, target: figure.target }],
    ),
  )
  if (aimed.length === 0) return ''
  const cells = aimed.map(({ row, figure, target }) => [
    row.corpus === '' ? row.job : `${row.job}: ${row.corpus}`,
    `${row.who}, ${row.conditions}`,
    figure.metric,
    formatValue(figure, figure.value),
    `≤ ${formatValue(figure, target)}`,
    figure.value <= target ? 'met' : `MISSED by ${(figure.value / target).toFixed(2)}x`,
    formatCpu(row),
  ])
  const widths = [0, 1, 2, 3, 4, 5, 6].map((column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  )
  const lines = cells.map((row) =>
    `  ${row.map((cell, column) => (column === 3 ? cell.padStart(widths[3] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ')}`.trimEnd(),
  )
  const met = aimed.filter(({ figure, target }) => figure.value <= target).length
  return `\ntargets\n${lines.join('\n')}\ntargets met: ${met} of ${aimed.length}\n`
}

function formatCpu({ figures }: Row): string {
  const cpu = figures.find(({ metric }) => metric === 'cpu')
  return cpu === undefined ? '' : `cpu ${formatNumber(cpu.value)}`
}

function formatFigure(figure: Figure | undefined): string {
  return figure === undefined ? '' : formatNumber(figure.value)
}

function formatValue({ metric }: Figure, value: number): string {
  if (metric === 'memory') return `${value.toFixed(1)} MB`
  if (metric === 'delay') return `${value.toFixed(0)} ms`
  if (metric === 'requests') return value.toFixed(0)
  if (metric === 'import') return `+${value.toFixed(1)} ms`
  return formatNumber(value)
}

function formatNumber(value: number): string {
  if (Math.abs(value) >= 10) return value.toFixed(1)
  return value.toFixed(Math.abs(value) < 0.1 ? 3 : 2)
}
