// One device, more closely.

import { useEffect, useMemo, useRef } from 'preact/hooks'
import { Plot } from '../parts/plot.js'
import { AXIS_COLOURS } from '../parts/spark.js'
import { changed, go } from '../route.js'
import { clock, count, measure } from '../sql.js'
import { Activity, ActivityCounts } from './activity.js'
import { AXIS, WINDOW_READINGS } from './statement.js'
import type { Watch } from './watch.js'

/** Goes back to the device's row, if that can be seen. */
function leave(name: string): void {
  go(changed({ device: undefined }), false)
  const links = [...document.querySelectorAll<HTMLElement>('.row .name a')]
  links.find((link) => link.textContent === name)?.focus()
}

interface DetailProps {
  watch: Watch
  name: string
  axes: string[]
  version: number
}

export function Detail({ watch: { model }, name, axes, version }: DetailProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [name])
  const device = model.devices.get(name)
  const seen = device?.version ?? 0
  const data = useMemo(() => {
    const values = model.history?.device === name ? model.history.axes : []
    const length = values[0]?.length ?? 0
    return [Array.from({ length }, (_, at) => at - length + 1), ...axes.map((_, at) => [...(values[at] ?? [])])]
  }, [name, seen, axes.length, model.history, version])
  return (
    <section class="detail" aria-labelledby="detail-name" onKeyDown={(event) => event.key === 'Escape' && leave(name)}>
      <header>
        <h2 id="detail-name" tabIndex={-1} ref={heading}>
          {name}
        </h2>
        <a class="button quiet" href={changed({ device: undefined })}>
          Close
        </a>
      </header>
      {!device ? (
        <p class="muted">No reading of it has come yet.</p>
      ) : (
        <>
          <p>
            <Activity name={device.activity} />{' '}
            <span class="muted">
              {device.model !== null && `${device.model}, `}partition {device.partition}, last reading {clock(device.time)}
            </span>
          </p>
          <Plot
            label={`The last ${data[0]!.length} readings of ${name}`}
            lines={axes.map((axis, at) => ({ label: axis, colour: AXIS_COLOURS[at % AXIS_COLOURS.length]! }))}
            data={data}
            version={seen}
            height={180}
          />
          <table>
            <caption>
              {device.window < WINDOW_READINGS ? `Its ${device.window} readings` : `Its last ${WINDOW_READINGS} readings`}
            </caption>
            <thead>
              <tr>
                <td />
                {axes.map((axis, at) => (
                  <th scope="col" key={axis} class={AXIS_COLOURS[at % AXIS_COLOURS.length]}>
                    {axis}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {AXIS.map((figure) => (
                <tr key={figure}>
                  <th scope="row">{figure === 'value' ? 'now' : figure}</th>
                  {device.axes.map((figures, at) => (
                    <td key={at}>
                      <data class={figure} value={figures[figure]}>
                        {measure(figures[figure], Math.max(Math.abs(figures.min), Math.abs(figures.max)))}
                      </data>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {device.activities.size > 0 && (
            <>
              <h3>
                Activities of {count(device.total)} readings
              </h3>
              <ActivityCounts counts={device.activities} />
            </>
          )}
        </>
      )}
    </section>
  )
}
