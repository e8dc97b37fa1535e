// Activities, each with a colour of its own wherever it is named.

import { count } from '../sql.js'

const COLOURS = 8
const taken = new Map<string, number>()

/** The colour of a name is the same each time, unless another has it; once there are none left, several share one. */
function activityColour(name: string): string {
  let place = taken.get(name)
  if (place === undefined) {
    place = [...name].reduce((sum, char) => (sum * 31 + char.codePointAt(0)!) % 65_521, 7) % COLOURS
    const used = new Set(taken.values())
    for (let tries = 0; tries < COLOURS && used.has(place); tries++) place = (place + 1) % COLOURS
    taken.set(name, place)
  }
  return `hue-${place}`
}

export function Activity({ name }: { name: string | null }) {
  if (name === null) return <span class="muted">–</span>
  return (
    <span class={`activity ${activityColour(name)}`}>
      <i aria-hidden="true" />
      {name}
    </span>
  )
}

interface CountsProps {
  counts: Map<string, number>
  chosen?: string | undefined
  /** What choosing one does; without it, they are only shown. */
  onChoose?: (name: string | undefined) => void
}

/** Readings by activity: a bar of their shares, and each with its count. */
export function ActivityCounts({ counts, chosen, onChoose }: CountsProps) {
  const all = [...counts].sort(([a], [b]) => a.localeCompare(b))
  const total = all.reduce((sum, [, n]) => sum + n, 0)
  return (
    <div class="counts">
      <div class="shares" aria-hidden="true">
        {all.map(([name, n]) => (
          <i key={name} class={activityColour(name)} style={{ flexGrow: n / total }} />
        ))}
      </div>
      <ul>
        {all.map(([name, n]) => {
          const figures = (
            <>
              <Activity name={name} />
              <data value={n}>{count(n)}</data>
            </>
          )
          const isChosen = chosen === name
          return (
            <li key={name}>
              {onChoose ? (
                <button type="button" aria-pressed={isChosen} onClick={() => onChoose(isChosen ? undefined : name)}>
                  {figures}
                </button>
              ) : (
                <div>{figures}</div>
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}
