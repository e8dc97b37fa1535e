// The devices: a row each, of which those alone are drawn that can be seen.

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useIsNarrow } from '../parts/narrow.js'
import { Spark, type Scale } from '../parts/spark.js'
import { changed, go } from '../route.js'
import { clockOrDay, count, measure, span } from '../sql.js'
import { Activity } from './activity.js'
import type { AxisFigures, Device } from './model.js'
import type { Order } from './order.js'
import { WINDOW_READINGS } from './statement.js'

/** Rows that are drawn beyond what can be seen. */
const MARGIN_ROWS = 4
/** After how long without a reading a device counts as silent. */
export const SILENT_MS = 60_000

interface TableProps {
  devices: Device[]
  axes: string[]
  order: Order
  isDescending: boolean
  chosen: string | undefined
  onOrder: (id: string) => void
  /** Whether rows are to stay where they are, for somebody is about to use one. */
  onHold: (isHeld: boolean) => void
}

export function Table({ devices, axes, order, isDescending, chosen, onOrder, onHold }: TableProps) {
  const body = useRef<HTMLDivElement>(null)
  const narrow = useIsNarrow()
  const rowHeight = narrow ? 64 + 46 * axes.length : 68
  const [first, last] = useVisible(body, devices.length, rowHeight)
  const shown = devices.slice(first, last)
  const scales = useScales(devices, axes.length)
  const heading = (id: string, label: string) => {
    const isOrder = order.id === id
    return (
      <div role="columnheader" aria-sort={isOrder ? (isDescending ? 'descending' : 'ascending') : undefined}>
        <button type="button" onClick={() => onOrder(id)}>
          {label}
          {isOrder && <span aria-hidden="true">{isDescending ? ' ↓' : ' ↑'}</span>}
        </button>
      </div>
    )
  }
  return (
    <div
      class={`devices axes-${axes.length}`}
      role="table"
      aria-label="Devices"
      aria-rowcount={devices.length + 1}
      onMouseEnter={() => onHold(true)}
      onMouseLeave={() => onHold(false)}
      onKeyDown={(event) => move(event, body.current!, rowHeight, devices.length)}
    >
      <div role="rowgroup" class="head">
        <div role="row" aria-rowindex={1}>
          {heading('device', 'Device')}
          {heading('activity', 'Activity')}
          {heading('readings', 'Readings')}
          {axes.map((axis) => heading(`${axis}.deviation`, order.id.startsWith(`${axis}.`) ? order.label : axis))}
        </div>
      </div>
      <div role="rowgroup" class="body" ref={body} style={{ height: `${devices.length * rowHeight}px` }}>
        {shown.map((device, at) => (
          <Row
            key={device.name}
            device={device}
            index={first + at}
            top={(first + at) * rowHeight}
            height={rowHeight}
            axes={axes}
            scales={scales}
            isChosen={device.name === chosen}
          />
        ))}
      </div>
    </div>
  )
}

interface RowProps {
  device: Device
  index: number
  top: number
  height: number
  axes: string[]
  scales: Scale[]
  isChosen: boolean
}

function Row({ device, index, top, height, axes, scales, isChosen }: RowProps) {
  const silentFor = Date.now() - device.seen
  const isSilent = silentFor > SILENT_MS
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      class={`row ${isChosen ? 'chosen' : ''} ${isSilent ? 'silent' : ''}`}
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
    >
      <div role="cell" class="name">
        <a href={changed({ device: device.name })} aria-current={isChosen ? 'true' : undefined} data-index={index}>
          {device.name}
        </a>
        <small>
          {device.model !== null && `${device.model} · `}partition {device.partition}
        </small>
      </div>
      <div role="cell" class="now">
        <Activity name={device.activity} />
      </div>
      <div role="cell" class="total">
        <data value={device.total}>{count(device.total)}</data>
        <small>
          {isSilent
            ? `silent ${span(silentFor)}`
            : device.window < WINDOW_READINGS
              ? `${device.window} of ${WINDOW_READINGS}`
              : clockOrDay(device.time)}
        </small>
      </div>
      {axes.map((axis, at) => (
        <div role="cell" class="axis" key={axis} data-axis={axis}>
          <b>{axis}</b>
          <Spark device={device} axis={at} scale={scales[at]!} />
          <Figures figures={device.axes[at]!} scale={scales[at]!} />
        </div>
      ))}
    </div>
  )
}

function Figures({ figures: { mean, deviation, min, max }, scale }: { figures: AxisFigures; scale: Scale }) {
  const largest = Math.max(Math.abs(scale.min), Math.abs(scale.max))
  const figure = (name: string, value: number) => (
    <data class={name} value={value}>
      {measure(value, largest)}
    </data>
  )
  return (
    <div class="figures">
      <span>
        {figure('mean', mean)}
        <span class="hidden"> mean, deviation </span>
        <span aria-hidden="true" class="muted">
          {' ± '}
        </span>
        {figure('deviation', deviation)}
      </span>
      <small>
        <span class="hidden">from </span>
        {figure('min', min)}
        <span aria-hidden="true">{' … '}</span>
        <span class="hidden"> to </span>
        {figure('max', max)}
      </small>
    </div>
  )
}

/** Which rows can be seen: they scroll with the page. */
function useVisible(body: { current: HTMLDivElement | null }, rows: number, rowHeight: number): [number, number] {
  const [range, setRange] = useState<[number, number]>([0, 30])
  useLayoutEffect(() => {
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0
      const first = Math.max(0, Math.floor(-top / rowHeight) - MARGIN_ROWS)
      const last = Math.min(rows, Math.ceil((innerHeight - top) / rowHeight) + MARGIN_ROWS)
      setRange((before) => (before[0] === first && before[1] === last ? before : [first, Math.max(first, last)]))
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [body, rows, rowHeight])
  return range
}

/** One scale for an axis of all devices, so that they can be compared. It is widened at once, and narrowed where much is empty. */
function useScales(devices: Device[], axisCount: number): Scale[] {
  const kept = useRef<Scale[]>([])
  return useMemo(() => {
    const scales = Array.from({ length: axisCount }, (_, axis) => {
      let min = Infinity
      let max = -Infinity
      for (const device of devices) {
        const figures = device.axes[axis]!
        if (figures.min < min) min = figures.min
        if (figures.max > max) max = figures.max
      }
      const before = kept.current[axis]
      if (min > max) return before ?? { min: -1, max: 1 }
      const isWide = before && max - min < (before.max - before.min) * 0.6
      return before && !isWide && before.min <= min && before.max >= max ? before : { min, max }
    })
    kept.current = scales
    return scales
    // Figures change with every drawing of the table.
  }, [devices, axisCount, devices.reduce((sum, device) => sum + device.version, 0)])
}

/** Goes from row to row by keys. */
function move(event: KeyboardEvent, body: HTMLDivElement, rowHeight: number, rows: number): void {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity, PageDown: 10, PageUp: -10 }
  const step = steps[event.key]
  const index = (document.activeElement as HTMLElement | null)?.dataset['index']
  if (event.key === 'Escape') go(changed({ device: undefined }), false)
  if (step === undefined || index === undefined) return
  event.preventDefault()
  const wanted = Math.min(rows - 1, Math.max(0, Number(index) + step))
  const top = body.getBoundingClientRect().top + wanted * rowHeight
  if (top < 120) scrollBy(0, top - 120)
  else if (top + rowHeight > innerHeight) scrollBy(0, top + rowHeight - innerHeight + 8)
  // A row that comes into sight is drawn before it is gone to.
  const focus = (tries: number) => {
    const link = body.querySelector<HTMLElement>(`[data-index="${wanted}"]`)
    if (link) link.focus({ preventScroll: true })
    else if (tries > 0) requestAnimationFrame(() => focus(tries - 1))
  }
  focus(5)
}
