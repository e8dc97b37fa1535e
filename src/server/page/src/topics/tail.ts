// The newest records of a topic, as they come: as `PRINT` shows them, or as rows of a stream over it.

import type { Field, Source } from '../catalogue.js'
import { cells, shown } from '../json.js'
import { Live } from '../live.js'
import { literal, quoted } from '../sql.js'
import { query, rows } from '../server.js'
import { Keys } from './keys.js'

/** How many records are kept, and how much of each value. */
export const KEPT_MAX = 500
const VALUE_CHARS = 4_000

export interface Seen {
  id: number
  /** Milliseconds since 1970. */
  time: number
  partition: number
  /** `PRINT` does not tell it. */
  offset: string | null
  key: string
  value: string
}

export type From = 'latest' | 'earliest'

type Read = Omit<Seen, 'id'>

const RECORD = /^rowtime: (\d+)\/(\d+)\/(\d+) ([\d:.]+) Z, key: (.*?), value: (.*), partition: (\d+)$/s

export class Tail {
  version = 0
  /** The newest first. */
  newest: Seen[] = []
  total = 0
  readonly keys = new Keys()
  readonly live: Live
  readonly #read: (line: string) => Read | undefined
  /** The beginning of a record whose text has several lines. */
  #open: string | undefined

  constructor(topic: string, readonly from: From, stream: Source | undefined) {
    const { sql, read } = stream ? selected(stream) : { sql: printing(topic, from), read: (line: string) => this.#printed(line) }
    this.#read = read
    // Over a web socket, records are no rows.
    this.live = new Live(stream ? rows : query, sql, { 'auto.offset.reset': from }, {
      begin: () => this.#begin(),
      rows: (lines) => this.#add(lines),
    })
  }

  /** What is read from the beginning is told again; what came is not, and stays. */
  #begin(): void {
    this.#open = undefined
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
      if (!record) continue
      this.total += 1
      this.keys.add(record.key, record.partition)
      came.push({ id: this.total, ...record, value: cut(record.value) })
    }
    this.newest = [...came.slice(-KEPT_MAX).reverse(), ...this.newest].slice(0, KEPT_MAX)
    this.version += 1
  }

  #printed(line: string): Read | undefined {
    const text = shown(cells(line)[0] ?? '""')
    const whole = text.startsWith('rowtime: ') || this.#open === undefined ? text : `${this.#open}\n${text}`
    const [, year, month, day, time, key, value, partition] = RECORD.exec(whole) ?? []
    if (partition === undefined) {
      // What never comes to an end is not kept.
      this.#open = whole.length < 1 << 20 ? whole : undefined
      return undefined
    }
    this.#open = undefined
    return { time: Date.parse(`${year}-${month}-${day}T${time}Z`), partition: Number(partition), offset: null, key: key!, value: value! }
  }
}

function cut(value: string): string {
  return value.length > VALUE_CHARS ? `${value.slice(0, VALUE_CHARS)}…` : value
}

function printing(topic: string, from: From): string {
  return `PRINT ${literal(topic)}${from === 'earliest' ? ' FROM BEGINNING' : ''};`
}

/** A push query for all columns of a stream, and where their records lie. */
function selected({ name, fields, windowType }: Source): { sql: string; read: (line: string) => Read } {
  const isKey = (field: Field) => field.type === 'KEY'
  const bounds = windowType === null ? [] : ['WINDOWSTART', 'WINDOWEND']
  const keys = [...fields.filter(isKey).map((field) => quoted(field.name)), ...bounds]
  const values = fields.filter((field) => !isKey(field))
  const columns = ['ROWTIME', 'ROWPARTITION', 'ROWOFFSET', ...keys, ...values.map((field) => quoted(field.name))]
  const read = (line: string) => {
    const [time, partition, offset, ...rest] = cells(line)
    const key = rest.slice(0, keys.length).map(shown).join(', ')
    const value = values.map((field, at) => `${JSON.stringify(field.name)}: ${rest[keys.length + at] ?? 'null'}`).join(', ')
    return { time: Number(time), partition: Number(partition), offset: offset ?? null, key: keys.length === 0 ? '' : key, value }
  }
  return { sql: `SELECT ${columns.join(', ')} FROM ${quoted(name)} EMIT CHANGES;`, read }
}
