// The queries that run while a choice of devices is shown, and what they gave.

import { Live } from '../live.js'
import { Rate } from '../parts/rate.js'
import { listen, rows as read, type Properties, type Taker } from '../server.js'
import { Store } from '../store.js'
import { axes, type Begin, type Choice } from './choice.js'
import { Model, type Feed, type Happened } from './model.js'
import * as statement from './statement.js'

/** How old the newest reading is at most, by its own time, where readings are dated as they are made. */
const PRESENT_MS = 60_000

type Cell = string | number | null

export class Watch {
  readonly model: Model
  readonly rate = new Rate(Date.now())
  readonly readings: Live
  /** What else is asked, and what for. */
  readonly others: { name: string; live: Live }[] = []
  /** From when to when readings were not heard of that are told to nobody again. */
  readonly missed = new Store<{ from: number; to: number } | undefined>(undefined)
  /** How far the newest reading was behind the clock at best: what it is more by now, it has fallen behind. */
  leastBehindMs = Infinity
  readonly #timer: ReturnType<typeof setInterval>

  constructor(readonly choice: Choice) {
    const transitions = statement.transitions(choice)
    const model = new Model(axes(choice).length, transitions === undefined)
    this.model = model
    // Without this, a server that runs as ksqlDB would refuses OVER.
    const properties = { ...beginning(choice.begin), 'ksql.millstream.strict': 'false' }
    const taker = this.#taker(
      () => model.clear(),
      (lines) => model.add(lines, Date.now()),
    )
    const miss = () => {
      const before = this.readings.state.value
      if (choice.begin !== 'earliest' && before.state === 'away') {
        this.missed.set({ from: this.missed.value?.from ?? before.since, to: Date.now() })
      }
    }
    const begin: Taker['begin'] = (columns, id) => {
      miss()
      taker.begin(columns, id)
    }
    this.readings = new Live(read, statement.readings(choice), properties, { ...taker, begin })
    const add = (name: string, sql: string | undefined, feed: Feed, read: (row: Cell[]) => Happened) => {
      if (sql === undefined) return
      const rows = (lines: string[]) => {
        for (const { row } of JSON.parse(`[${lines.join(',')}]`)) feed.add(read(row.columns))
      }
      const live = new Live(listen, sql, properties, this.#taker(() => feed.clear(), rows))
      this.others.push({ name, live })
    }
    add('alerts', statement.alerts(choice), model.alerts, ([device, activity, magnitude, time]) => ({
      device: String(device ?? '(unknown)'),
      from: activity as string | null,
      to: null,
      magnitude: magnitude === null || magnitude === undefined ? null : Number(magnitude),
      time: time as number,
    }))
    add('transitions', transitions, model.transitions, ([device, from, to, time]) => ({
      device: String(device ?? '(unknown)'),
      from: from as string | null,
      to: to as string | null,
      magnitude: null,
      time: time as number,
    }))
    this.#timer = setInterval(() => this.#sample(Date.now()), 1_000)
  }

  /** What is told of the past is no rate of the present. Where times are not those of now, all that comes is counted. */
  #sample(now: number): void {
    const { model } = this
    if (model.newest > 0) this.leastBehindMs = Math.min(this.leastBehindMs, now - model.newest)
    const isPresent = now - model.newest < PRESENT_MS
    this.rate.sample(isPresent ? model.readings - model.before : model.readings, now)
  }

  /** Changes with all that came. */
  get version(): number {
    const { model } = this
    return model.version + model.alerts.version + model.transitions.version
  }

  /** Whoever begins with readings of before is told them again after the connection was lost. */
  #taker(clear: () => void, rows: Taker['rows']): Taker {
    let hasBegun = false
    return {
      begin: () => {
        if (hasBegun && this.choice.begin !== 'latest') clear()
        hasBegun = true
      },
      rows,
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.readings.stop()
    for (const { live } of this.others) live.stop()
  }
}

/** The properties of a query that begins so. */
function beginning(begin: Begin): Properties {
  if (begin === 'earliest' || begin === 'latest') return { 'auto.offset.reset': begin }
  return { 'auto.offset.reset': 'latest', 'ksql.millstream.push.since.ms': String(begin * 1_000) }
}

/** What tells choices apart for which different queries run. */
export function key(choice: Choice): string {
  return JSON.stringify([choice.begin, statement.readings(choice), statement.alerts(choice), statement.transitions(choice)])
}
