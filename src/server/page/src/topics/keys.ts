// Which keys come most often among the newest records.

/** How many of the newest records are counted. */
export const COUNTED_MAX = 10_000
/** How much of a key is kept. */
const KEY_CHARS = 256

export interface KeyCount {
  key: string
  count: number
  /** Where its records lie, where that is one partition: records without keys lie in any. */
  partition: number | undefined
}

/** Counts of the keys of the newest records, each exact: what is older is taken off again. */
export class Keys {
  readonly #ring: string[] = []
  #at = 0
  readonly #counts = new Map<string, KeyCount>()

  /** How many records are counted. */
  get size(): number {
    return this.#ring.length
  }

  add(whole: string, partition: number): void {
    // A copy, lest what is cut off be kept with it.
    const key = whole.length > KEY_CHARS ? `${[...whole.slice(0, KEY_CHARS)].join('')}…` : whole
    if (this.#ring.length === COUNTED_MAX) this.#forget(this.#ring[this.#at]!)
    this.#ring[this.#at] = key
    this.#at = (this.#at + 1) % COUNTED_MAX
    const known = this.#counts.get(key)
    if (known) {
      known.count += 1
      if (known.partition !== partition) known.partition = undefined
    } else this.#counts.set(key, { key, count: 1, partition })
  }

  #forget(key: string): void {
    const known = this.#counts.get(key)!
    known.count -= 1
    if (known.count === 0) this.#counts.delete(key)
  }

  /** How many different ones there are. */
  get different(): number {
    return this.#counts.size
  }

  /** Those that came most often. */
  most(count: number): KeyCount[] {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count || a.key.localeCompare(b.key)).slice(0, count)
  }

  clear(): void {
    this.#ring.length = 0
    this.#at = 0
    this.#counts.clear()
  }
}
