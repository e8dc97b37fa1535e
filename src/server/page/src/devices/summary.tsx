// How all devices are together.

import { useMemo } from 'preact/hooks'
import { Plot } from '../parts/plot.js'
import { changed, go } from '../route.js'
import { clock, count } from '../sql.js'
import { useVersion } from '../store.js'
import { ActivityCounts } from './activity.js'
import { beginText } from './picker.js'
import { SILENT_MS } from './table.js'
import type { Watch } from './watch.js'

interface SummaryProps {
  watch: Watch
  activity: string | undefined
}

export function Summary({ watch, activity }: SummaryProps) {
  const { model, rate, choice } = watch
  const version = useVersion(rate)
  const data = useMemo(() => [[...rate.times], [...rate.values]], [version])
  const before = typeof choice.begin === 'number' ? choice.begin * 1_000 : 0
  const now = Date.now()
  let silent = 0
  for (const device of model.devices.values()) if (now - device.seen > SILENT_MS) silent += 1
  return (
    <section class="summary" aria-label="Summary">
      <div class="tile">
        <h2>Readings</h2>
        <p class="figure">
          <data class="readings" value={model.readings}>
            {count(model.readings)}
          </data>
        </p>
        <p class="muted">
          {choice.begin === 'earliest' ? 'since the first' : model.since > 0 ? `since ${clock(model.since - before)}` : beginText(choice.begin)}
        </p>
      </div>
      <div class="tile wide">
        <h2>
          Readings a second <b>{count(Math.round(rate.now))}</b>
        </h2>
        <Plot
          label={`Readings a second over the last two minutes, ${Math.round(rate.now)} now`}
          lines={[{ label: 'readings a second', colour: 'accent', isBars: true }]}
          data={data}
          version={version}
          height={84}
          isTime
          range={(_, max) => [0, Math.max(max, 1)]}
        />
      </div>
      <div class="tile">
        <h2>Devices</h2>
        <p class="figure">{count(model.devices.size)}</p>
        <p class="muted">{silent > 0 ? `${count(silent)} silent for a minute` : 'none silent'}</p>
      </div>
      {choice.columns.activity && (
        <div class="tile wide">
          <h2>Activities, by readings</h2>
          <ActivityCounts
            counts={model.activities}
            chosen={activity}
            onChoose={(name) => go(changed({ only: name }), false)}
          />
        </div>
      )}
    </section>
  )
}
