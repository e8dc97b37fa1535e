// Which stream and which of its columns are shown: as the address says, else as their names suggest.

import { recordsOf, type Field, type Source } from '../catalogue.js'
import { quoted } from '../sql.js'

/** A column that can be chosen, also one within a structure. */
export interface Option {
  /** As the address has it: `X`, `READING->X`. */
  id: string
  /** As SQL has it. */
  sql: string
  type: string
  isKey: boolean
}

export const ROLES = ['device', 'x', 'y', 'z', 'activity', 'model'] as const
export type Role = (typeof ROLES)[number]

/** With which readings it begins: all that the topic has, those of so many seconds, or those that come. */
export type Begin = 'earliest' | 'latest' | number

/** Seconds that can be chosen. The fewest are what is begun with where a topic holds much. */
export const SECONDS = [10, 60, 600]

/** What is shown. */
export interface Choice {
  stream: Source
  columns: Partial<Record<Role, Option>>
  begin: Begin
  /** The stream of alerts, the magnitude from which on a reading is one, or none. */
  alerts: Source | number | undefined
  /** The stream of transitions; else they are found in the readings. */
  transitions: Source | undefined
}

const NUMBERS = ['INTEGER', 'BIGINT', 'DOUBLE', 'DECIMAL']
const NAMES: Record<Role, RegExp> = {
  device: /^(device|sensor|machine|thing)([_-]?(id|name|key|uid))?$/i,
  x: /(^|[_-])x$/i,
  y: /(^|[_-])y$/i,
  z: /(^|[_-])z$/i,
  activity: /^(gt|activity|label|class|status|state|mode)$/i,
  model: /^(model|type|kind|product)$/i,
}
/** Numbers that no axis is. */
const NO_AXIS = /time|date|index|offset|count|_?id$|^id$|^ts$|seq/i

/** The most readings that are read from the beginning unless that is asked for. */
const FEW_READINGS = 50_000

/** The columns of a source that can be chosen. */
export function options(source: Source): Option[] {
  const all: Option[] = []
  const add = (field: Field, path: string, sql: string) => {
    const id = path + field.name
    const expression = sql + quoted(field.name)
    if (field.schema.fields) for (const inner of field.schema.fields) add(inner, `${id}->`, `${expression}->`)
    else if (!field.schema.memberSchema && field.type !== 'HEADER') {
      all.push({ id, sql: expression, type: field.schema.type, isKey: field.type === 'KEY' })
    }
  }
  for (const field of source.fields) add(field, '', '')
  return all
}

export function isNumber(option: Option): boolean {
  return NUMBERS.includes(option.type.split('(')[0]!)
}

/** What an option may be. */
export function fits(role: Role, option: Option): boolean {
  return role === 'x' || role === 'y' || role === 'z' ? isNumber(option) : true
}

function lastName(option: Option): string {
  return option.id.slice(option.id.lastIndexOf('>') + 1)
}

/** What the columns of a source suggest, and how much they look like readings. */
function guess(source: Source): { columns: Choice['columns']; score: number } {
  const all = options(source)
  const columns: Choice['columns'] = {}
  let score = 0
  for (const role of ROLES) {
    const found = all.find((option) => fits(role, option) && NAMES[role].test(lastName(option)))
    if (!found) continue
    columns[role] = found
    score += role === 'device' || role === 'x' ? 3 : role === 'model' ? 1 : 2
  }
  const text = (option: Option) => option.type === 'STRING'
  columns.device ??= all.find((option) => option.isKey) ?? all.find(text)
  if (!columns.x) {
    const axes = all.filter((option) => isNumber(option) && !NO_AXIS.test(lastName(option)) && option !== columns.device)
    ;[columns.x, columns.y, columns.z] = axes
  }
  // What queries make of readings is less likely meant than the readings themselves.
  if (source.writeQueries.length > 0) score -= 3
  return { columns, score }
}

/** What begins the names of the demo's streams of readings; what follows it, those of its results have as well. */
const READINGS = 'DEVICE_READINGS'

/** A stream whose name says that it has alerts or transitions of these readings. */
function related(name: RegExp, readings: Source, all: Source[]): Source | undefined {
  const streams = all.filter((source) => source.type === 'STREAM' && name.test(source.name) && source !== readings)
  const suffix = readings.name.startsWith(READINGS) ? readings.name.slice(READINGS.length) : undefined
  const alike = streams.filter((source) => suffix !== undefined && suffix === source.name.replace(/^.*?(ALERTS|TRANSITIONS)/i, ''))
  const reading = readings.readQueries.flatMap((query) => query.sinks)
  return streams.find((source) => reading.includes(source.name)) ?? alike[0]
}

/** Columns of a stream of transitions. */
export function ends(source: Source): { from: Option; to: Option } | undefined {
  const all = options(source)
  const from = all.find((option) => /^(from|previous|prev|old)_?/i.test(option.id))
  const to = all.find((option) => /^(to|current|next|new)_?/i.test(option.id))
  return from && to && { from, to }
}

/** What is shown: `undefined` where there is nothing that could be. */
export function choose(all: Source[], parameters: URLSearchParams): Choice | undefined {
  const streams = all.filter((source) => source.type === 'STREAM')
  const scored = streams.map((stream) => ({ stream, ...guess(stream) })).sort((a, b) => b.score - a.score)
  const named = parameters.get('stream')
  const best = named ? scored.find(({ stream }) => stream.name === named) : scored.find(({ columns }) => columns.device)
  if (!best) return undefined
  const { stream } = best
  const available = options(stream)
  const columns = { ...best.columns }
  for (const role of ROLES) {
    const id = parameters.get(role)
    if (id === '') delete columns[role]
    else if (id !== null) columns[role] = available.find((option) => option.id === id) ?? columns[role]
  }
  const records = recordsOf(stream.topic, all)
  const isShort = records !== undefined && records <= FEW_READINGS
  return {
    stream,
    columns,
    begin: begin(parameters.get('from')) ?? (isShort ? 'earliest' : SECONDS[0]!),
    alerts: alerts(stream, all, parameters.get('alerts')),
    transitions: transitions(stream, all, parameters.get('transitions')),
  }
}

/** As the address has it. */
function begin(from: string | null): Begin | undefined {
  if (from === 'earliest' || from === 'latest') return from
  const seconds = Number(from)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined
}

function alerts(stream: Source, all: Source[], asked: string | null): Choice['alerts'] {
  if (asked === null) return related(/ALERT/i, stream, all)
  if (asked !== '' && Number.isFinite(Number(asked))) return Number(asked)
  return all.find((source) => source.type === 'STREAM' && source.name === asked)
}

function transitions(stream: Source, all: Source[], asked: string | null): Source | undefined {
  const found = asked === null ? related(/TRANSITION/i, stream, all) : all.find((source) => source.name === asked)
  return found && ends(found) ? found : undefined
}

/** The axes that are chosen. */
export function axes(choice: Choice): { name: string; option: Option }[] {
  const { x, y, z } = choice.columns
  return [x, y, z].flatMap((option) => (option ? [{ name: lastName(option).toLowerCase(), option }] : []))
}
