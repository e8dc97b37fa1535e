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
  partitions: { topic: string; partition: number; records: number; lag: number | null }[]
  over_time: Record<'read_per_second' | 'written_per_second' | 'skipped_per_second' | 'late_per_second' | 'lag', Values>
}

export interface Figures {
  at: number
  server: string
  points: Points
  queries: QueryFigures[]
  topics: TopicFigures[]
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

/** Points of a topic over time. What is new is added to what is known: the server may have begun anew and know less. */
export class Past {
  readonly partitions = new Map<number, Values>()
  /** The time of the first point, in milliseconds since 1970. */
  from = 0
  count = 0
  isLeftOut = false
  readonly stepMs: number

  constructor(
    readonly topic: string,
    readonly span: Span,
  ) {
    this.stepMs = SPANS[span].step * 1_000
  }

  /** The time behind the last point. */
  get end(): number {
    return this.from + this.count * this.stepMs
  }

  add({ points, topics }: Figures): void {
    const topic = topics.find(({ name }) => name === this.topic)
    if (!topic || points.count === 0) return
    // Nothing is known of partitions for which there is no room.
    this.isLeftOut = points.left_out > 0 && topic.partitions.some(({ over_time }) => over_time.records_per_second.length < points.count)
    let known = this.count === 0 ? 0 : Math.round((points.from - this.from) / this.stepMs)
    if (known <= 0 || known > SPANS[this.span].points) {
      this.partitions.clear()
      this.from = points.from
      known = 0
    }
    const total = known + points.count
    const excess = Math.max(0, total - SPANS[this.span].points)
    for (const { partition, over_time } of topic.partitions) {
      const values = this.partitions.get(partition)?.slice(0, known) ?? []
      while (values.length < known) values.push(null)
      values.push(...over_time.records_per_second)
      while (values.length < total) values.push(null)
      this.partitions.set(partition, values.slice(excess))
    }
    this.from += excess * this.stepMs
    this.count = total - excess
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
