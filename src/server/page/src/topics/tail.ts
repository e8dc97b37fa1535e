// The newest records of a topic, as they come: as they are, or as rows of a stream over it.

import type { Field, Source } from '../catalogue.js'
import { cells, shown } from '../json.js'
import { Live } from '../live.js'
import { clock, quoted } from '../sql.js'
import { records, rows } from '../server.js'
import { Keys } from './keys.js'

/** How many records are kept, and how much of each value. */
export const KEPT_MAX = 500
const VALUE_CHARS = 4_000

export interface Seen {
  id: number
  /** Milliseconds since 1970. */
  time: number
  partition: number
  offset: string
  key: string
  value: string
  /** As `name=value`, in order; none where they are not told. */
  headers: string
}

/** From where on records are looked at: `latest`, `earliest`, `offset:31`, `time:1700000000000`. */
export type From = string

/** What is looked at, and how. */
export interface View {
  topic: string
  from: From
  /** The stream whose rows they are read as. */
  stream?: Source | undefined
  /** Which rows are shown of it: an expression in SQL. */
  where?: string | undefined
}

type Read = Omit<Seen, 'id'>

export class Tail {
  version = 0
  /** The newest first. */
  newest: Seen[] = []
  total = 0
  hasHeaders = false
  readonly keys = new Keys()
  readonly live: Live
  readonly from: From
  readonly #read: (line: string) => Read

  constructor({ topic, from, stream, where }: View) {
    this.from = from
    const taker = { begin: () => this.#begin(), rows: (lines: string[]) => this.#add(lines) }
    if (!stream) {
      this.#read = raw
      this.live = new Live(records, new URLSearchParams({ topic, from }).toString(), {}, taker)
      return
    }
    const { sql, read } = selected(stream, conditions(from, where))
    this.#read = read
    // Rows from an offset or a time on are looked for among all.
    this.live = new Live(rows, sql, { 'auto.offset.reset': from === 'latest' ? 'latest' : 'earliest' }, taker)
  }

  /** What is read from some place on is told again; what came is not, and stays. */
  #begin(): void {
    if (this.from === 'latest') return
    this.newest = []
    this.total = 0
    this.keys.clear()
    this.version += 1
  }

  #add(lines: string[]): void {
    const came: Seen[] = []
    for (const line of lines) {
      const record = this.#read(line)
      this.total += 1
      this.hasHeaders ||= record.headers !== ''
      this.keys.add(record.key, record.partition)
      came.push({ id: this.total, ...record, value: cut(record.value) })
    }
    this.newest = [...came.slice(-KEPT_MAX).reverse(), ...this.newest].slice(0, KEPT_MAX)
    this.version += 1
  }
}

function cut(value: string): string {
  return value.length > VALUE_CHARS ? `${value.slice(0, VALUE_CHARS)}…` : value
}

interface Raw {
  partition: number
  offset: number
  timestamp: number
  key: string | null
  value: string | null
  headers: [string, string | null][]
}

/** A record as the server tells it. */
function raw(line: string): Read {
  const { partition, offset, timestamp, key, value, headers } = JSON.parse(line) as Raw
  return {
    time: timestamp,
    partition,
    offset: String(offset),
    key: key ?? 'null',
    value: value ?? 'null',
    headers: headers.map(([name, text]) => `${name}=${text ?? 'null'}`).join(', '),
  }
}

function conditions(from: From, where: string | undefined): string[] {
  const [kind, number] = from.split(':')
  const begin = kind === 'offset' ? [`ROWOFFSET >= ${Number(number)}`] : kind === 'time' ? [`ROWTIME >= ${Number(number)}`] : []
  return [...begin, ...(where ? [`(${where})`] : [])]
}

/** A push query for all columns of a stream, and where their records lie. */
function selected({ name, fields, windowType }: Source, where: string[]): { sql: string; read: (line: string) => Read } {
  const isKey = (field: Field) => field.type === 'KEY'
  const bounds = windowType === null ? [] : ['WINDOWSTART', 'WINDOWEND']
  const keys = fields.filter(isKey).map((field) => quoted(field.name))
  const values = fields.filter((field) => !isKey(field))
  const columns = ['ROWTIME', 'ROWPARTITION', 'ROWOFFSET', ...keys, ...bounds, ...values.map((field) => quoted(field.name))]
  const read = (line: string) => {
    const [time, partition, offset, ...rest] = cells(line)
    const own = rest.slice(0, keys.length).map(shown).join(', ')
    const [start, end] = rest.slice(keys.length, keys.length + bounds.length).map(Number)
    const window = start === undefined || end === undefined ? '' : ` [${clock(start)} – ${clock(end)})`
    const first = keys.length + bounds.length
    const value = values.map((field, at) => `${JSON.stringify(field.name)}: ${rest[first + at] ?? 'null'}`).join(', ')
    return { time: Number(time), partition: Number(partition), offset: offset ?? 'null', key: own + window, value, headers: '' }
  }
  const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
  return { sql: `SELECT ${columns.join(', ')} FROM ${quoted(name)}${condition} EMIT CHANGES;`, read }
}
