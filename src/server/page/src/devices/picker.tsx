// Which stream and columns are shown. The choice stands in the address.

import { useEffect, useRef } from 'preact/hooks'
import type { Source } from '../catalogue.js'
import { changed, go, href } from '../route.js'
import { ends, fits, options, ROLES, SECONDS, type Begin, type Choice, type Role } from './choice.js'
import { span } from '../sql.js'
import { readings } from './statement.js'

const LABELS: Record<Role, string> = { device: 'Device', x: 'First axis', y: 'Second axis', z: 'Third axis', activity: 'Activity', model: 'Model' }

/** With which readings it begins, in words. */
export function beginText(begin: Begin): string {
  if (begin === 'earliest') return 'from the first reading'
  return begin === 'latest' ? 'from now on' : `from ${span(begin * 1_000)} ago`
}

interface PickerProps {
  choice: Choice
  all: Source[]
}

export function Picker({ choice, all }: PickerProps) {
  const place = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event) => {
      const isOutside = event.type === 'pointerdown' && !place.current?.contains(event.target as Node)
      if (place.current && (isOutside || (event as KeyboardEvent).key === 'Escape')) place.current.open = false
    }
    addEventListener('pointerdown', close)
    addEventListener('keydown', close)
    return () => {
      removeEventListener('pointerdown', close)
      removeEventListener('keydown', close)
    }
  }, [])
  const begins = [...new Set<Begin>(['earliest', ...SECONDS, 'latest', choice.begin])]
  const streams = all.filter((source) => source.type === 'STREAM')
  const set = (name: string) => (event: { currentTarget: HTMLSelectElement }) =>
    go(changed({ [name]: event.currentTarget.value }), false)
  return (
    <details class="picker" ref={place}>
      <summary>
        <span class="muted wide-only">Stream and columns </span>
        <strong>{choice.stream.name}</strong>
        <span class="muted"> {beginText(choice.begin)}</span>
      </summary>
      <div class="sheet">
        <label>
          Stream
          <select
            value={choice.stream.name}
            onChange={(event) => go(href('devices', { stream: event.currentTarget.value }), false)}
          >
            {streams.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {ROLES.map((role) => (
          <label key={role}>
            {LABELS[role]}
            <select value={choice.columns[role]?.id ?? ''} onChange={set(role)}>
              {role !== 'device' && <option value="">none</option>}
              {options(choice.stream)
                .filter((option) => fits(role, option))
                .map(({ id, type }) => (
                  <option key={id} value={id}>{`${id} (${type})`}</option>
                ))}
            </select>
          </label>
        ))}
        <label>
          Readings
          <select value={String(choice.begin)} onChange={set('from')}>
            {begins.map((begin) => (
              <option key={begin} value={String(begin)}>
                {beginText(begin)}
              </option>
            ))}
          </select>
        </label>
        <Alerts choice={choice} streams={streams} />
        <label>
          Transitions
          <select value={choice.transitions?.name ?? ''} onChange={set('transitions')}>
            <option value="">found in the readings</option>
            {streams.filter((stream) => ends(stream)).map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <details>
          <summary>The query of this view</summary>
          <pre tabIndex={0}>{readings(choice)}</pre>
        </details>
      </div>
    </details>
  )
}

function Alerts({ choice, streams }: { choice: Choice; streams: Source[] }) {
  const isOwn = typeof choice.alerts === 'number'
  const value = isOwn ? '#' : (choice.alerts as Source | undefined)?.name ?? ''
  return (
    <>
      <label>
        Alerts
        <select
          value={value}
          onChange={(event) => {
            const chosen = event.currentTarget.value
            go(changed({ alerts: chosen === '#' ? '10' : chosen }), false)
          }}
        >
          <option value="">none</option>
          <option value="#">readings stronger than…</option>
          {streams
            .filter((stream) => stream !== choice.stream)
            .map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
        </select>
      </label>
      {isOwn && (
        <label>
          Stronger than
          <input
            type="number"
            step="any"
            min="0"
            value={choice.alerts as number}
            onChange={(event) => {
              const { value } = event.currentTarget
              if (value !== '') go(changed({ alerts: value }), false)
            }}
          />
        </label>
      )}
    </>
  )
}
