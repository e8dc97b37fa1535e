// What queries have skipped, as the server tells it: how many records for which cause, and the last of them.

import { useMemo } from 'preact/hooks'
import { useKept } from '../parts/load.js'
import { skipped } from '../server.js'

/** A record that was skipped. */
export interface Skip {
  number: number
  /** When it was skipped, in milliseconds since 1970. */
  at: number
  query: string
  cause: string
  reason: string
  topic: string | null
  partition: number | null
  offset: number | null
  timestamp: number | null
  key: string | null
  value: string | null
}

/** How many records a query has skipped for a cause since the server started. */
export interface SkipCount {
  query: string
  cause: string
  count: number
}

interface Answer {
  rows_included: boolean
  last: number
  counts: SkipCount[]
  records: Skip[]
}

/** Which of them are looked at. */
export interface Wanted {
  query?: string | undefined
  cause?: string | undefined
}

/** How many are kept here. */
const KEPT_MAX = 500

/** What was skipped, kept up: what is new is added to what is known. */
class Known {
  counts: SkipCount[] = []
  /** The newest first. */
  records: Skip[] = []
  areRowsIncluded = true
  #after = 0

  constructor(readonly wanted: Wanted) {}

  async look(): Promise<Known> {
    const { query, cause } = this.wanted
    const asked = { after: String(this.#after), ...(query && { query }), ...(cause && { cause }) }
    const answer = await skipped<Answer>(asked)
    if (answer.last < this.#after) {
      // The server has begun anew, and counts from 1 again.
      this.records = []
      this.#after = 0
      return this.look()
    }
    this.#after = answer.last
    this.counts = answer.counts
    this.areRowsIncluded = answer.rows_included
    this.records = [...answer.records.reverse(), ...this.records].slice(0, KEPT_MAX)
    return this
  }
}

/** What was skipped, kept up while it is looked at. */
export function useSkipped({ query, cause }: Wanted): { known?: Known; error?: Error } {
  const known = useMemo(() => new Known({ query, cause }), [query, cause])
  const { value, error } = useKept(async () => ({ of: await known.look() }), [known])
  if (error) return { error }
  return value?.of === known ? { known } : {}
}

/** A cause in words. */
export const CAUSES: Record<string, string> = {
  undecodable_key: 'key cannot be read',
  undecodable_value: 'value cannot be read',
  panicked: 'a fault of the server',
  no_timestamp: 'no time',
  null_key: 'no key',
  null_value: 'no value',
  failed_expression: 'expression failed',
  late: 'too late',
  repeated: 'taken before',
  refused: 'refused by its topic',
}

export function causeText(cause: string): string {
  return CAUSES[cause] ?? cause.replaceAll('_', ' ')
}
