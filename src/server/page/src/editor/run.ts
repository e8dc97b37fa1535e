// What the statements of a text gave: answers one after the other, the rows of a query as they come.

import { away } from '../health.js'
import { Away, query, Refusal, statements as ask, type Column, type Diagnostic, type Entity } from '../server.js'
import { Store } from '../store.js'
import { statements, type Statement } from './lex.js'
import type { Mark } from './text.js'

/** Rows that are kept; of more, the newest. */
export const ROWS_KEPT = 10_000

export interface Fault {
  message: string
  hints: string[]
  marks: Mark[]
}

export type State = { is: 'running' } | { is: 'done'; says: string } | { is: 'failed'; fault: Fault }

/** The rows of a query. */
export class Result {
  version = 0
  columns: Column[] = []
  total = 0
  readonly #kept: string[] = []
  /** Where the next row goes once as many are kept as may be. */
  #next = 0

  constructor(
    readonly sql: string,
    readonly isPush: boolean,
  ) {}

  get count(): number {
    return this.#kept.length
  }

  begin(columns: Column[]): void {
    this.columns = columns
    this.version += 1
  }

  add(lines: string[]): void {
    for (const line of lines) {
      if (this.#kept.length < ROWS_KEPT) this.#kept.push(line)
      else {
        this.#kept[this.#next] = line
        this.#next = (this.#next + 1) % ROWS_KEPT
      }
    }
    this.total += lines.length
    this.version += 1
  }

  /** A row as it was sent, the oldest that is kept first. */
  line(at: number): string {
    return this.#kept[(this.#next + at) % this.#kept.length]!
  }
}

/** One run of a text. */
export class Run {
  readonly state = new Store<State>({ is: 'running' })
  readonly answers = new Store<Entity[]>([])
  readonly result = new Store<Result | undefined>(undefined)
  readonly #stop = new AbortController()
  readonly #variables: Record<string, string> = {}
  /** What the statements that were run have set. */
  readonly #properties: Record<string, string> = {}

  /** What is run stands between two places of a text. */
  constructor(
    readonly text: string,
    readonly from: number,
    readonly to: number,
    /** Where queries begin whose rows are shown here, unless a statement sets it. */
    readonly offsetReset: string,
  ) {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    let here: Statement = { text: '', at: this.from }
    try {
      let says = 'Nothing to run'
      for (const group of grouped(this.text.slice(this.from, this.to))) {
        here = { text: group.text, at: this.from + group.at }
        const padded = this.#padded(here)
        says = isQuery(here.text) ? await this.#query(padded) : await this.#statements(padded)
      }
      this.state.set({ is: 'done', says })
    } catch (error) {
      if (this.#stop.signal.aborted) return this.state.set({ is: 'done', says: 'Stopped' })
      if (error instanceof Away) away(error.message)
      this.state.set({ is: 'failed', fault: fault(error as Error, this.#padded(here)) })
    }
  }

  /** A statement behind as many lines and columns as it has before it here, so that the server's words for places are those of the text. */
  #padded({ text, at }: Statement): string {
    return this.text.slice(0, at).replaceAll(/[^\n]/g, ' ') + text
  }

  async #statements(text: string): Promise<string> {
    // Among themselves, the server has each hold from its place on; so what they set is not sent along with them.
    const answers = await ask(text, this.#properties, this.#variables)
    for (const { text: one } of statements(text)) this.#note(one)
    this.answers.set([...this.answers.value, ...answers])
    return 'Done'
  }

  /** What is set holds for what is run behind it, by requests of their own. */
  #note(statement: string): void {
    const [, isSet, name, value] = /^\s*(SET)\s+'([^']*)'\s*=\s*'((?:[^']|'')*)'/i.exec(statement) ?? []
    if (isSet) this.#properties[name!] = value!.replaceAll("''", "'")
    const [, unset] = /^\s*UNSET\s+'([^']*)'/i.exec(statement) ?? []
    if (unset !== undefined) delete this.#properties[unset]
    const [, variable, text] = /^\s*DEFINE\s+(\w+)\s*=\s*'((?:[^']|'')*)'/i.exec(statement) ?? []
    // Their names are the same in capitals or not.
    if (variable !== undefined) this.#variables[variable.toLowerCase()] = text!.replaceAll("''", "'")
    const [, forgotten] = /^\s*UNDEFINE\s+(\w+)/i.exec(statement) ?? []
    if (forgotten !== undefined) delete this.#variables[forgotten.toLowerCase()]
  }

  async #query(text: string): Promise<string> {
    const result = new Result(text, /\bEMIT\b|^\s*PRINT\b/i.test(text))
    this.result.set(result)
    const taker = { begin: (columns: Column[]) => result.begin(columns), rows: (lines: string[]) => result.add(lines) }
    const properties = { 'auto.offset.reset': this.offsetReset, ...this.#properties }
    return query(text, properties, taker, this.#stop.signal, this.#variables)
  }
}

function isQuery(text: string): boolean {
  return /^\s*(SELECT|PRINT)\b/i.test(text)
}

/** Queries are requests of their own; the statements between them are sent together, so that all of them are tried first. */
function grouped(text: string): Statement[] {
  const groups: (Statement & { isQuery: boolean })[] = []
  for (const one of statements(text)) {
    const last = groups.at(-1)
    const query = isQuery(one.text)
    // As they stand, with what is between them, so that places in them are places in the text.
    if (last && !last.isQuery && !query) last.text = text.slice(last.at, one.at) + one.text
    else groups.push({ ...one, isQuery: query })
  }
  return groups
}

/** What a server says of a text that begins where that of the editor does. */
function fault(error: Error, text: string): Fault {
  const diagnostic = error instanceof Refusal ? error.diagnostic : undefined
  const all = diagnostic ? [diagnostic, ...(diagnostic.more ?? [])] : []
  const place = places(text)
  const marks = all.flatMap(({ labels }) => labels.map(({ start, end }) => ({ from: place(start), to: place(end) })))
  const says = all.flatMap(({ labels }) => labels.map(({ label }) => label)).filter((label) => label && !error.message.includes(label))
  return { message: error.message.trim(), hints: [...says, ...all.flatMap(hints)], marks }
}

function hints({ help }: Diagnostic): string[] {
  return help === null ? [] : typeof help === 'string' ? [help] : help
}

/** Which character stands at a byte. */
function places(text: string): (byte: number) => number {
  const bytes = new TextEncoder().encode(text)
  return (byte) => new TextDecoder().decode(bytes.subarray(0, byte)).length
}
