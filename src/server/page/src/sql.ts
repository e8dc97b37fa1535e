// Names and numbers, in SQL and for people.

/** A name as SQL has it, whatever it is. */
export function quoted(name: string): string {
  return '`' + name.replaceAll('`', '``') + '`'
}

/** A string as SQL has it. */
export function literal(text: string): string {
  return "'" + text.replaceAll("'", "''") + "'"
}

const COUNT = new Intl.NumberFormat('en')

/** A count, with its thousands apart. */
export function count(value: number): string {
  return COUNT.format(value)
}

const RATE = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** How much comes a second, with three digits; what is not known is a dash. */
export function rate(value: number | null): string {
  if (value === null) return '–'
  return value >= 100 ? COUNT.format(Math.round(value)) : RATE.format(value)
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** A number of bytes in the unit that fits; what is not known is a dash. */
export function bytes(value: number | null): string {
  if (value === null) return '–'
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : RATE.format(value)} ${UNITS[unit]}`
}

/** A share of a whole, in percent. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`
}

/** A measured value, with three digits or so of the largest that it stands beside: by these they are alike to look at. */
export function measure(value: number, largest = Math.abs(value)): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : '−∞'
  if (largest >= 1e7 || (largest < 1e-6 && largest > 0)) return minus(value.toExponential(2))
  const digits = largest > 0 ? 2 - Math.floor(Math.log10(largest)) : 0
  return minus(value.toFixed(Math.min(8, Math.max(0, digits))))
}

function minus(text: string): string {
  return text.replace('-', '−')
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** A time of today as a clock shows it, another one with its day. */
export function clock(ms: number): string {
  const at = new Date(ms)
  const time = CLOCK.format(at)
  return at.toDateString() === new Date().toDateString() ? time : `${DAY.format(at)}, ${time}`
}

/** The same where there is little room: the time of today, else the day. */
export function clockOrDay(ms: number): string {
  const at = new Date(ms)
  if (at.toDateString() === new Date().toDateString()) return CLOCK.format(at)
  const two = (part: number) => String(part).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** How long something takes, in the largest unit that fits. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
