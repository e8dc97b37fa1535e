// How evenly records lie over the partitions of a topic.

import type { Past, Values } from '../figures.js'

/** The coefficient of variation of some counts: their standard deviation by their mean. `null` of nothing. */
export function variation(counts: number[]): number | null {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  if (!(mean > 0)) return null
  const square = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length
  return Math.sqrt(square) / mean
}

export type Word = 'even' | 'uneven' | 'hot' | 'few' | 'single' | 'unknown'

/** From where on counts are called uneven, and the largest one hot. */
export const UNEVEN_FROM = 0.2
export const HOT_FROM = 0.5

/** With fewer records a partition than this, chance alone makes them uneven. */
const FEW_A_PARTITION = 10

export function word(variation: number | null, counts: number[]): Word {
  if (counts.length === 1) return 'single'
  if (variation === null) return 'unknown'
  if (counts.reduce((sum, count) => sum + count, 0) < FEW_A_PARTITION * counts.length) return 'few'
  return variation < UNEVEN_FROM ? 'even' : variation < HOT_FROM ? 'uneven' : 'hot'
}

export const WORDS: Record<Word, string> = {
  even: 'even',
  uneven: 'uneven',
  hot: 'hot',
  few: 'too few to tell',
  single: 'one partition',
  unknown: 'nothing counted',
}

/** How many intervals balance is shown for: one point is too few records. */
const INTERVALS = 60

/** All records a second, and how they vary over partitions, over time: seconds since 1970, rates, variations. */
export function overTime(past: Past): { rates: [number[], Values]; variations: [number[], Values] } {
  const all = [...past.partitions.values()]
  const times = Array.from({ length: past.count }, (_, at) => (past.from + at * past.stepMs) / 1000)
  const rates = times.map((_, at) => {
    const known = all.map((values) => values[at] ?? null).filter((value) => value !== null)
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
  })
  const width = Math.max(1, Math.ceil(past.count / INTERVALS))
  const starts = times.flatMap((time, at) => (at % width === 0 ? [{ time, at }] : []))
  const variations = starts.map(({ at }) => {
    const counts = all.map((values) => values.slice(at, at + width).reduce<number>((sum, value) => sum + (value ?? 0), 0))
    return variation(counts)
  })
  return { rates: [times, rates], variations: [starts.map(({ time }) => time), variations] }
}
