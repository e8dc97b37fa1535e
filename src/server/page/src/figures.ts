// What the server counts, now and over time.

import { useMemo } from 'preact/hooks'
import { useKept, type Loaded } from './parts/load.js'
import { counted } from './server.js'

/** Figures, a point each; `null` where nothing is known. */
export type Values = (number | null)[]

/** The points that an answer has, of all that is counted. */
export interface Points {
  /** Milliseconds since 1970. */
  from: number
  step_ms: number
  count: number
  /** Queries and partitions of which nothing is kept over time. */
  left_out: number
}

export interface PartitionFigures {
  partition: number
  records: number
  bytes: number | null
  share: number | null
  end: number
  over_time: { records_per_second: Values; bytes_per_second: Values }
}

export interface TopicFigures {
  name: string
  /** Records that were read, each once; or by how much its ends have grown. */
  counted: 'records' | 'offsets'
  variation: number | null
  partitions: PartitionFigures[]
}

/** A step of a query, and how many rows it has taken and given since the query began. */
export interface Step {
  name: string
  part: number
  inputs: number[]
  topic: string | null
  /** The topic, without its query's name, through which what it gives goes to another part, if only in memory. */
  repartition: string | null
  stores: string[]
  taken: number
  given: number
  late: number
  failed: number
}

export interface QueryFigures {
  id: string
  state: string
  cause: string | null
  sink_topic: string | null
  records_read: number
  records_written: number
  lag: number | null
  skipped: Record<string, number>
  failures: number
  stored_rows: number
  commits: number
  commit_ms_mean: number | null
  /** Records that its state was restored from, and how many are left at most. */
  restored: number
  restoring: number
  partitions: { topic: string; partition: number; records: number; lag: number | null }[]
  /** Of a query that is asked for. */
  steps?: Step[]
  stores?: { store: string; partition: number; rows: number }[]
  over_time: Record<'read_per_second' | 'written_per_second' | 'skipped_per_second' | 'late_per_second' | 'lag', Values>
}

export interface Figures {
  at: number
  server: string
  points: Points
  queries: QueryFigures[]
  topics: TopicFigures[]
}

/** Those of the last minute, of all queries and topics; over time, and with its steps, of one query alone. */
export function useQueryFigures(id: string): Loaded<Figures> {
  return useKept(() => counted<Figures>({ query: id }), [id])
}

/** Those of the last minute, of all queries and topics. */
export function useFigures(): Loaded<Figures> {
  return useKept(() => counted<Figures>({}), [])
}

/** How far back is looked. */
export type Span = '15 min' | '6 h'

export const SPANS: Record<Span, { step: number; points: number }> = {
  '15 min': { step: 1, points: 900 },
  '6 h': { step: 10, points: 2_160 },
}

/** Values over time, by what they are of. What is new is added to what is known: the server may have begun anew and know less. */
class Series<K> {
  readonly values = new Map<K, Values>()
  /** The time of the first point, in milliseconds since 1970. */
  from = 0
  count = 0
  readonly stepMs: number
  readonly #points: number

  constructor(readonly span: Span) {
    this.stepMs = SPANS[span].step * 1_000
    this.#points = SPANS[span].points
  }

  /** The time behind the last point. */
  get end(): number {
    return this.from + this.count * this.stepMs
  }

  append(points: Points, all: Iterable<[K, Values]>): void {
    if (points.count === 0) return
    let known = this.count === 0 ? 0 : Math.round((points.from - this.from) / this.stepMs)
    if (known <= 0 || known > this.#points) {
      this.values.clear()
      this.from = points.from
      known = 0
    }
    const total = known + points.count
    const excess = Math.max(0, total - this.#points)
    for (const [key, newer] of all) {
      const values = this.values.get(key)?.slice(0, known) ?? []
      while (values.length < known) values.push(null)
      values.push(...newer)
      while (values.length < total) values.push(null)
      this.values.set(key, values.slice(excess))
    }
    this.from += excess * this.stepMs
    this.count = total - excess
  }
}

/** Points of a topic over time. */
export class Past extends Series<number> {
  isLeftOut = false

  constructor(
    readonly topic: string,
    span: Span,
  ) {
    super(span)
  }

  get partitions(): Map<number, Values> {
    return this.values
  }

  add({ points, topics }: Figures): void {
    const topic = topics.find(({ name }) => name === this.topic)
    if (!topic || points.count === 0) return
    // Nothing is known of partitions for which there is no room.
    this.isLeftOut = points.left_out > 0 && topic.partitions.some(({ over_time }) => over_time.records_per_second.length < points.count)
    this.append(points, topic.partitions.map(({ partition, over_time }) => [partition, over_time.records_per_second]))
  }
}

/** A topic over time, kept up while it is looked at. */
export function usePast(topic: string, span: Span): { past: Past; error?: Error } {
  const past = useMemo(() => new Past(topic, span), [topic, span])
  const { error } = useKept(async () => {
    const asked = { since: String(past.end), step: String(SPANS[span].step), topic }
    past.add(await counted<Figures>(asked))
    return past.end
  }, [past])
  return error ? { past, error } : { past }
}

/** Points of a query over time, by their figures. */
class QueryPast extends Series<string> {
  constructor(
    readonly id: string,
    span: Span,
  ) {
    super(span)
  }

  add({ points, queries }: Figures): void {
    const own = queries.find(({ id }) => id === this.id)
    if (own) this.append(points, Object.entries(own.over_time))
  }
}

/** A query over time, kept up while it is looked at. */
export function useQueryPast(id: string, span: Span): { past: QueryPast; error?: Error } {
  const past = useMemo(() => new QueryPast(id, span), [id, span])
  const { error } = useKept(async () => {
    past.add(await counted<Figures>({ since: String(past.end), step: String(SPANS[span].step), query: id }))
    return past.end
  }, [past])
  return error ? { past, error } : { past }
}

/** What queries skip a second, over a quarter of an hour. */
class Skips extends Series<''> {
  constructor(readonly query: string | undefined) {
    super('15 min')
  }

  /** The times of the points, in seconds since 1970. */
  get seconds(): number[] {
    return Array.from({ length: this.count }, (_, at) => (this.from + at * this.stepMs) / 1_000)
  }

  get known(): Values {
    return this.values.get('') ?? []
  }

  add({ points, queries }: Figures): void {
    const own = queries.filter(({ id }) => this.query === undefined || id === this.query)
    const all = own.map(({ over_time }) => over_time.skipped_per_second)
    const longest = Math.max(0, ...all.map((values) => values.length))
    const summed = Array.from({ length: longest }, (_, at) => sum(all.map((values) => values[values.length - longest + at] ?? null)))
    this.append(points, [['', summed]])
  }
}

/** What a query skips a second, or all of them; kept up while it is looked at. */
export function useSkips(query: string | undefined): { past: Skips; error?: Error } {
  const past = useMemo(() => new Skips(query), [query])
  const { error } = useKept(async () => {
    past.add(await counted<Figures>({ since: String(past.end), ...(query !== undefined && { query }) }))
    return past.end
  }, [past])
  return error ? { past, error } : { past }
}

/** The sum of what is known; `null` of nothing. */
export function sum(values: Values): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((all, value) => all + value, 0)
}

/** How many of the newest points a present rate is the mean of, so that it can be read. */
const NOW_POINTS = 10

/** What comes a second at present. */
export function now(values: Values): number | null {
  const known = values.slice(-NOW_POINTS).filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((all, value) => all + value, 0) / known.length
}
