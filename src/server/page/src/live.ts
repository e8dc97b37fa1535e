// A push query that is kept up: where the server goes, it is asked again once that is back.

import { away, health, onReturn } from './health.js'
import { Away, Refusal, type Properties, type Taker } from './server.js'
import { Store } from './store.js'

/** How rows come: `rows` or `listen` of the server. */
export type Way = (sql: string, properties: Properties, taker: Taker, signal: AbortSignal) => Promise<string>

export type LiveState =
  | { state: 'opening' }
  | { state: 'open' }
  | { state: 'away'; since: number; why: string }
  | { state: 'refused'; why: string }
  | { state: 'ended'; why: string }

const BACK_OFF_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000]

export class Live {
  readonly state = new Store<LiveState>({ state: 'opening' })
  /** From when to when no rows came, until that is dismissed: rows of then come only if the query tells the past. */
  readonly missed = new Store<{ from: number; to: number } | undefined>(undefined)
  #stop = new AbortController()
  #current: AbortController | undefined
  #tries = 0
  #wake: (() => void) | undefined

  constructor(
    readonly way: Way,
    readonly sql: string,
    readonly properties: Properties,
    readonly taker: Taker,
  ) {
    const forget = onReturn(() => {
      // What came before the server went may still look like a connection.
      if (this.state.value.state === 'open' || this.state.value.state === 'opening') this.#current?.abort()
      this.#tries = 0
      this.#wake?.()
    })
    this.#stop.signal.addEventListener('abort', forget)
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
    this.#current?.abort()
    this.#wake?.()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const goesOn = await this.#once()
      if (!goesOn || this.#stop.signal.aborted) return
      const wait = BACK_OFF_MS[Math.min(this.#tries, BACK_OFF_MS.length - 1)]!
      this.#tries += 1
      // Not all that were cut off come back at the same moment.
      await this.#pause(wait * (0.75 + Math.random() / 2))
    }
  }

  async #once(): Promise<boolean> {
    const current = new AbortController()
    this.#current = current
    const begin: Taker['begin'] = (columns, queryId) => {
      this.#tries = 0
      const before = this.state.value
      if (before.state === 'away') this.missed.set({ from: this.missed.value?.from ?? before.since, to: Date.now() })
      this.taker.begin(columns, queryId)
      this.state.set({ state: 'open' })
    }
    try {
      const end = await this.way(this.sql, this.properties, { begin, rows: (rows) => this.taker.rows(rows) }, current.signal)
      // A server that stops ends its queries without a word.
      if (health.value.state === 'here' && end !== 'Query Completed') {
        this.state.set({ state: 'ended', why: end })
        return false
      }
      this.#away('the server ended the query')
      return true
    } catch (error) {
      if (this.#stop.signal.aborted) return false
      if (error instanceof Refusal) {
        this.state.set({ state: 'refused', why: error.message })
        return false
      }
      if (error instanceof Away) away(error.message)
      this.#away(error instanceof Away ? error.message : 'the connection to the server is lost')
      return true
    }
  }

  #away(why: string): void {
    const before = this.state.value
    const since = before.state === 'away' ? before.since : Date.now()
    this.state.set({ state: 'away', since, why })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
