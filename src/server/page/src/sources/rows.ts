// The rows of a source as they are now: those of a table by their keys, the newest ones of a stream.

import type { Field, Source } from '../catalogue.js'
import { cells, isTombstone } from '../json.js'
import { Live } from '../live.js'
import { quoted } from '../sql.js'
import { rows as read, type Column } from '../server.js'

/** Rows of a table that are kept; what further keys have is left out, and said. */
export const ROWS_MAX = 20_000
/** The newest rows of a stream that are kept. */
export const NEWEST_MAX = 500
/** How long a row counts as just changed. */
const FRESH_MS = 800

interface Row {
  key: string
  cells: string[]
  /** When it was last changed, once it was known. */
  at: number
}

export class Rows {
  version = 0
  columns: Column[] = []
  /** Changes that came. */
  changes = 0
  /** Changes of keys beyond those that are kept. */
  leftOut = 0
  readonly live: Live
  readonly isTable: boolean
  readonly #byKey = new Map<string, Row>()
  #list: Row[] = []
  #isListed = true
  readonly #keyCount: number

  constructor(readonly source: Source) {
    this.isTable = source.type === 'TABLE'
    const { sql, keyCount } = statement(source)
    this.#keyCount = keyCount
    const from = this.isTable ? 'earliest' : 'latest'
    this.live = new Live(read, sql, { 'auto.offset.reset': from }, {
      begin: (columns) => this.#begin(columns),
      rows: (lines) => this.#add(lines),
    })
  }

  /** Whether these are the rows of a source as it is now, so that what came need not be forgotten. */
  goesOnFor(source: Source): boolean {
    const { state } = this.live.state.value
    return source.statement === this.source.statement && state !== 'ended' && state !== 'refused'
  }

  /** The rows in the order in which they came up, the newest of a stream first. */
  get list(): readonly Row[] {
    if (!this.#isListed) {
      this.#list = [...this.#byKey.values()]
      this.#isListed = true
    }
    return this.#list
  }

  isFresh(at: number, now: number): boolean {
    return this.isTable && now - (this.list[at]?.at ?? 0) < FRESH_MS
  }

  /** Rows of a table are told again from the beginning; those of a stream are not, so they stay. */
  #begin(columns: Column[]): void {
    this.columns = columns.map((column, at) => ({ ...column, isKey: this.isTable && at < this.#keyCount }))
    if (this.isTable) {
      this.#byKey.clear()
      this.#list = []
      this.changes = this.leftOut = 0
    }
    this.version += 1
  }

  #add(lines: string[]): void {
    const now = Date.now()
    this.changes += lines.length
    if (this.isTable) {
      for (const line of lines) this.#put(line, now)
      // What counts as just changed is drawn once more when it does not any longer.
      setTimeout(() => (this.version += 1), FRESH_MS)
    } else {
      const newest = lines.slice(-NEWEST_MAX).reverse()
      const made = newest.map((line, at) => ({ key: String(this.changes - at), cells: cells(line), at: 0 }))
      this.#list = [...made, ...this.#list].slice(0, NEWEST_MAX)
    }
    this.version += 1
  }

  #put(line: string, now: number): void {
    const found = cells(line)
    const key = found.slice(0, this.#keyCount).join()
    const known = this.#byKey.get(key)
    if (isTombstone(line)) {
      this.#byKey.delete(key)
      this.#isListed = false
    } else if (known) {
      known.cells = found
      known.at = now
    } else if (this.#byKey.size < ROWS_MAX) {
      this.#byKey.set(key, { key, cells: found, at: 0 })
      this.#isListed = false
    } else this.leftOut += 1
  }
}

/** A push query for all columns, those of the key first. */
function statement({ name, fields, windowType, type }: Source): { sql: string; keyCount: number } {
  const isKey = (field: Field) => field.type === 'KEY'
  const bounds = windowType === null ? [] : ['WINDOWSTART', 'WINDOWEND']
  const keys = [...fields.filter(isKey).map((field) => quoted(field.name)), ...bounds]
  const values = fields.filter((field) => !isKey(field)).map((field) => quoted(field.name))
  const time = type === 'STREAM' ? ['ROWTIME'] : []
  return { sql: `SELECT ${[...time, ...keys, ...values].join(', ')} FROM ${quoted(name)} EMIT CHANGES;`, keyCount: keys.length }
}
