// The queries that run while a choice of devices is shown, and what they gave.

import { Live } from '../live.js'
import { Rate } from '../parts/rate.js'
import { listen, rows as read, type Properties, type Taker } from '../server.js'
import { axes, type Begin, type Choice } from './choice.js'
import { Model, text, type Cell, type Feed, type Happened } from './model.js'
import * as statement from './statement.js'

export class Watch {
  readonly model: Model
  readonly rate = new Rate(Date.now())
  readonly readings: Live
  /** What else is asked, and what for. */
  readonly others: { name: string; live: Live }[] = []
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
    this.readings = new Live(read, statement.readings(choice), properties, taker)
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
      from: text(activity),
      to: null,
      magnitude: magnitude === null || magnitude === undefined ? null : Number(magnitude),
      time: time as number,
    }))
    add('transitions', transitions, model.transitions, ([device, from, to, time]) => ({
      device: String(device ?? '(unknown)'),
      from: text(from),
      to: text(to),
      magnitude: null,
      time: time as number,
    }))
    this.#timer = setInterval(() => this.#sample(Date.now()), 1_000)
  }

  #sample(now: number): void {
    const { model } = this
    if (model.newest > 0) this.leastBehindMs = Math.min(this.leastBehindMs, now - model.newest)
    this.rate.sample(model.came, now)
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
