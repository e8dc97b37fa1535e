// From where on the records of a topic are looked at.

import { useState } from 'preact/hooks'
import type { From } from './tail.js'

const KINDS = [
  ['latest', 'from now on'],
  ['earliest', 'from the first record'],
  ['offset', 'from an offset'],
  ['time', 'from a time'],
] as const

interface SeekProps {
  from: From
  onSeek: (from: From) => void
}

export function Seek({ from, onSeek }: SeekProps) {
  const [kind, setKind] = useState(from.split(':')[0]!)
  const number = from.split(':')[1] ?? ''
  const choose = (kind: string) => {
    setKind(kind)
    if (kind === 'latest' || kind === 'earliest') onSeek(kind)
  }
  return (
    <>
      <label>
        <span class="hidden">Records begin</span>
        <select value={kind} onChange={(event) => choose(event.currentTarget.value)}>
          {KINDS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {kind === 'offset' && (
        <label>
          <span class="hidden">Offset</span>
          <input
            type="number"
            min="0"
            step="1"
            class="seek"
            placeholder="Offset"
            value={number}
            onChange={({ currentTarget }) => currentTarget.value !== '' && currentTarget.checkValidity() && onSeek(`offset:${currentTarget.value}`)}
          />
        </label>
      )}
      {kind === 'time' && (
        <label>
          <span class="hidden">Time</span>
          <input
            type="datetime-local"
            step="1"
            value={number === '' ? '' : local(Number(number))}
            onChange={({ currentTarget }) => {
              const at = new Date(currentTarget.value).getTime()
              if (Number.isFinite(at)) onSeek(`time:${Math.max(0, at)}`)
            }}
          />
        </label>
      )}
    </>
  )
}

/** A time as such a field has it: where the browser is, without a zone. */
function local(ms: number): string {
  const at = new Date(ms)
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
