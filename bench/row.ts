import { median, type Contender, type Sample, type Series } from './measure.ts'

/** One measured figure. */
export interface Figure {
  /**
   * `time` and `bytes` are ratios to the baseline, the medians over the rounds; `cpu` is the ratio of the sums over the rounds, because
   * systems count in coarse steps; `memory` is in MB, `delay` and `import` in milliseconds; `requests` are those to a store.
   */
  readonly metric: 'time' | 'cpu' | 'bytes' | 'memory' | 'delay' | 'import' | 'requests'
  readonly value: number
  /** Least and largest over the rounds. */
  readonly spread?: readonly [number, number]
  /** What it should not be above. */
  readonly target?: number
}

/** A line of the report: how one contender did, against whom. */
export interface Row {
  readonly job: string
  readonly corpus: string
  readonly who: string
  readonly conditions: string
  /** Whom the ratios are to; absent for absolute figures and for baselines. */
  readonly against?: string
  readonly figures: readonly Figure[]
  /** Median wall time. */
  readonly milliseconds?: number
  readonly bytes?: number
  readonly rounds: number
}

export interface Targets {
  readonly time?: number
  readonly bytes?: number
}

/** Whether all targets of a row are met; undefined when it has none. */
export function isMet(row: Row): boolean | undefined {
  const aimed = row.figures.filter((figure) => figure.target !== undefined)
  if (aimed.length === 0) return undefined
  return aimed.every(({ value, target = Infinity }) => value <= target)
}

/** The row of a baseline, which ratios of others are to. */
export function baselineRow(job: string, corpus: string, series: Series): Row {
  return { ...common(job, corpus, series), figures: [] }
}

/** The row of a contender against a baseline that was measured in the same rounds. */
export function compare(
  job: string,
  corpus: string,
  series: Series,
  baseline: Series,
  targets: Targets = {},
): Row {
  const ratios = (value: (sample: Sample) => number | undefined): number[] =>
    series.samples.flatMap((sample, round) => {
      const own = value(sample)
      const other = baseline.samples[round]
      const base = other === undefined ? undefined : value(other)
      return own === undefined || base === undefined || base === 0 ? [] : [own / base]
    })
  const figures: Figure[] = [
    figureOf(
      'time',
      ratios((sample) => sample.milliseconds),
      targets.time,
    ),
  ]
  const cpu = cpuRatio(series, baseline)
  if (cpu !== undefined) figures.push({ metric: 'cpu', value: cpu })
  const bytes = ratios((sample) => (sample.bytes === 0 ? undefined : sample.bytes))
  if (bytes.length > 0) figures.push(figureOf('bytes', bytes, targets.bytes))
  return { ...common(job, corpus, series), against: baseline.contender.name, figures }
}

/** User and system time of all rounds together, over that of the baseline; undefined where it is not known, or too short to tell. */
function cpuRatio(series: Series, baseline: Series): number | undefined {
  const sum = ({ samples }: Series): number =>
    samples.reduce((total, { cpuMilliseconds = Number.NaN }) => total + cpuMilliseconds, 0)
  const ratio = sum(series) / sum(baseline)
  return Number.isFinite(ratio) ? ratio : undefined
}

/** The figure that several measured values come to. */
export function figureOf(metric: Figure['metric'], values: readonly number[], target?: number): Figure {
  return {
    metric,
    value: median(values),
    spread: [Math.min(...values), Math.max(...values)],
    ...(target === undefined ? {} : { target }),
  }
}

/** The series of a contender that was measured. */
export function seriesOf(all: readonly Series[], contender: Contender): Series {
  const found = all.find((series) => series.contender === contender)
  if (found === undefined) throw new Error(`'${contender.name}' was not measured`)
  return found
}

function common(job: string, corpus: string, { contender, samples }: Series): Omit<Row, 'figures'> {
  const bytes = median(samples.map((sample) => sample.bytes))
  return {
    job,
    corpus,
    who: contender.name,
    conditions: contender.conditions,
    milliseconds: median(samples.map((sample) => sample.milliseconds)),
    ...(bytes > 0 ? { bytes } : {}),
    rounds: samples.length,
  }
}
