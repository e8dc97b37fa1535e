// How many of something came in each of the last seconds.

const SECONDS = 120

export class Rate {
  version = 0
  #last = 0
  readonly times: number[]
  /** Before it was counted, nothing is known. */
  readonly values: (number | null)[] = Array<null>(SECONDS).fill(null)

  constructor(now: number) {
    const second = Math.floor(now / 1000)
    this.times = this.values.map((_, at) => second - SECONDS + 1 + at)
  }

  /** Notes how many there are by now; to be called each second. */
  sample(total: number, now: number): void {
    const came = Math.max(0, total - this.#last)
    this.#last = total
    // While nothing comes and nothing came, nothing is drawn anew.
    if (came === 0 && this.values.every((value) => value === 0)) return
    this.times.push(Math.floor(now / 1000))
    this.values.push(came)
    this.times.shift()
    this.values.shift()
    this.version += 1
  }

  /** Whether some came in each of the last seconds. */
  get isSteady(): boolean {
    return this.values.slice(-3).every((value) => value !== null && value > 0)
  }

  /** Of one second, taken over the last three. */
  get now(): number {
    const last = this.values.slice(-3).filter((value) => value !== null)
    return last.length === 0 ? 0 : last.reduce((sum, value) => sum + value, 0) / last.length
  }
}
