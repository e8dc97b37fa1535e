// What is known of the devices: the newest figures of each, what its last readings were, and counts since the beginning.

import { AT, AXIS, AXIS_COLUMNS, WINDOW_READINGS } from './statement.js'

/** Devices that are shown at most; readings of others are counted, and left out. */
export const DEVICES_MAX = 20_000
/** Activities that are counted by name, as those of `millstream consume`; further ones are counted together. */
const ACTIVITIES_MAX = 64
const OTHER = '(other)'
/** Readings of the chosen device that are drawn. */
const HISTORY_READINGS = 600
/** Alerts and transitions that are kept. */
const EVENTS_KEPT = 200
/** How old the newest reading is at most, by its own time, where readings are dated as they are made. */
const PRESENT_MS = 60_000

/** The figures of an axis over the last readings. */
export interface AxisFigures {
  value: number
  mean: number
  /** Of the readings taken as the whole population. */
  deviation: number
  min: number
  max: number
}

export class Device {
  activity: string | null = null
  model: string | null = null
  partition = 0
  total = 0
  /** Readings that the rolling figures are of. */
  window = 0
  time = 0
  /** When its last reading came, by the clock of this machine. */
  seen = 0
  version = 0
  readonly activities = new Map<string, number>()
  readonly axes: AxisFigures[]
  /** Its last readings, those of each axis in a ring; `next` is where the next one goes. */
  readonly recent: Float64Array[]
  recentCount = 0
  next = 0

  constructor(
    readonly name: string,
    axisCount: number,
  ) {
    const none = { value: NaN, mean: NaN, deviation: NaN, min: NaN, max: NaN }
    this.axes = Array.from({ length: axisCount }, () => ({ ...none }))
    this.recent = Array.from({ length: axisCount }, () => new Float64Array(WINDOW_READINGS))
  }
}

/** Something that happened to a device. */
export interface Happened {
  device: string
  time: number
  /** Alert: its activity; transition: that before. */
  from: string | null
  to: string | null
  magnitude: number | null
}

/** The newest of what happened, and how much it was. */
export class Feed {
  version = 0
  total = 0
  readonly newest: Happened[] = []

  add(happened: Happened): void {
    this.total += 1
    this.newest.unshift(happened)
    if (this.newest.length > EVENTS_KEPT) this.newest.pop()
    this.version += 1
  }

  clear(): void {
    this.total = 0
    this.newest.length = 0
    this.version += 1
  }
}

/** The last readings of the chosen device, by axis. */
export interface History {
  device: string
  axes: (number | null)[][]
}

/** A value as rows have it. */
export type Cell = string | number | boolean | null

type Row = Cell[]

export class Model {
  version = 0
  readonly devices = new Map<string, Device>()
  readonly activities = new Map<string, number>()
  readings = 0
  /** Readings of devices beyond the limit. */
  leftOut = 0
  /** Readings that came out of order: the server does not take them into rolling figures. */
  late = 0
  /** Readings without a device. */
  nameless = 0
  newest = 0
  /** Since when it is told of readings. */
  #began = Date.now()
  /** Readings that came as of the present, whatever was forgotten since: what rates are of. */
  came = 0
  /** When the first of these readings came, by the clock of this machine. */
  since = 0
  history: History | undefined
  readonly transitions = new Feed()
  readonly alerts = new Feed()

  constructor(
    readonly axisCount: number,
    readonly findsTransitions: boolean,
  ) {}

  /** Forgets everything, as it is to be told anew. */
  clear(): void {
    this.devices.clear()
    this.activities.clear()
    this.readings = this.leftOut = this.late = this.nameless = this.newest = this.since = 0
    this.#began = Date.now()
    if (this.findsTransitions) this.transitions.clear()
    this.follow(this.history?.device)
    this.version += 1
  }

  /** Keeps more of one device than of others. */
  follow(device: string | undefined): void {
    this.history = undefined
    if (device === undefined) return
    const known = this.devices.get(device)
    const ofAxis = (_: unknown, axis: number) => (known ? inOrder(known, axis).map(drawn) : [])
    const history: History = { device, axes: Array.from({ length: this.axisCount }, ofAxis) }
    this.history = history
  }

  /** Takes rows of the readings' query, of which `text` is a JSON object each. */
  add(lines: string[], now: number): void {
    const rows: { row: { columns: Row } }[] = JSON.parse(`[${lines.join(',')}]`)
    this.since ||= now
    for (const { row } of rows) this.#addRow(row.columns, now)
    this.version += 1
  }

  #addRow(row: Row, now: number): void {
    this.readings += 1
    const time = row[AT.time] as number
    if (time > this.newest) this.newest = time
    // What is told of the past is no rate of the present. Where times are not those of now, all that comes is counted.
    if (time >= this.#began || now - this.newest >= PRESENT_MS) this.came += 1
    if (row[AT.device] === null) {
      this.nameless += 1
      return
    }
    const device = this.#device(String(row[AT.device]))
    if (!device) {
      this.leftOut += 1
      return
    }
    const activity = text(row[AT.activity])
    device.total += 1
    device.version += 1
    device.seen = now
    device.partition = row[AT.partition] as number
    if (row[AT.model] !== null) device.model = String(row[AT.model])
    if (activity !== null) {
      increase(device.activities, activity)
      increase(this.activities, activity)
    }
    if (row[AT.n] === null) {
      // Out of order: figures, activity and time are those of a newer one.
      this.late += 1
      return
    }
    device.activity = activity
    device.time = time
    device.window = row[AT.n] as number
    this.#addFigures(device, row)
    const before = text(row[AT.before])
    if (this.findsTransitions && before !== null && activity !== null && before !== activity) {
      this.transitions.add({ device: device.name, time, from: before, to: activity, magnitude: null })
    }
  }

  #device(name: string): Device | undefined {
    const known = this.devices.get(name)
    if (known || this.devices.size >= DEVICES_MAX) return known
    const made = new Device(name, this.axisCount)
    this.devices.set(name, made)
    return made
  }

  #addFigures(device: Device, row: Row): void {
    for (let axis = 0; axis < this.axisCount; axis++) {
      const at = AT.axes + axis * AXIS_COLUMNS
      const figures = device.axes[axis]!
      figures.value = number(row[at])
      figures.mean = number(row[at + 1])
      figures.deviation = population(number(row[at + 2]), number(row[at + AXIS.length]))
      figures.min = number(row[at + 3])
      figures.max = number(row[at + 4])
      device.recent[axis]![device.next] = figures.value
    }
    device.next = (device.next + 1) % WINDOW_READINGS
    device.recentCount = Math.min(device.recentCount + 1, WINDOW_READINGS)
    if (this.history?.device === device.name) remember(this.history, device)
  }
}

function remember(history: History, device: Device): void {
  history.axes.forEach((values, axis) => {
    values.push(drawn(device.axes[axis]!.value))
    if (values.length > HISTORY_READINGS) values.shift()
  })
}

/** A value as charts have it: a gap where there is none. */
function drawn(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** The last readings of an axis, oldest first. */
export function inOrder(device: Device, axis: number): number[] {
  const { recent, recentCount, next } = device
  const ring = recent[axis]!
  return Array.from({ length: recentCount }, (_, at) => ring[(next - recentCount + at + WINDOW_READINGS) % WINDOW_READINGS]!)
}

/** ksqlDB has the deviation of a sample; `millstream consume` shows that of the readings as they are. */
function population(ofSample: number, n: number): number {
  return n > 0 ? ofSample * Math.sqrt((n - 1) / n) : NaN
}

/** A value of any type as text. */
export function text(value: Cell | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** Numbers that JSON does not have come as text. */
function number(value: Cell | undefined): number {
  return value === null || value === undefined ? NaN : Number(value)
}

function increase(counts: Map<string, number>, name: string): void {
  const known = counts.get(name)
  if (known !== undefined) counts.set(name, known + 1)
  else {
    const counted = counts.size < ACTIVITIES_MAX ? name : OTHER
    counts.set(counted, (counts.get(counted) ?? 0) + 1)
  }
}
