// A small chart of an axis: its last readings as a line, their mean and deviation as a band behind it.

import { useLayoutEffect, useRef } from 'preact/hooks'
import { inOrder, type Device } from '../devices/model.js'
import { WINDOW_READINGS } from '../devices/statement.js'
import { useStore } from '../store.js'
import { colour, colours } from './theme.js'

/** The least and greatest value of what is drawn. */
export interface Scale {
  min: number
  max: number
}

interface SparkProps {
  device: Device
  axis: number
  scale: Scale
}

/** Names of the axes' colours. */
export const AXIS_COLOURS = ['axis-x', 'axis-y', 'axis-z']

export function Spark({ device, axis, scale }: SparkProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const palette = useStore(colours)
  useLayoutEffect(() => {
    if (canvas.current) draw(canvas.current, { device, axis, scale })
  }, [device, device.version, axis, scale.min, scale.max, palette])
  // What it shows stands beside it in figures.
  return <canvas ref={canvas} class="spark" aria-hidden="true" />
}

function draw(canvas: HTMLCanvasElement, { device, axis, scale }: SparkProps): void {
  const ratio = devicePixelRatio || 1
  const width = Math.round(canvas.clientWidth * ratio)
  const height = Math.round(canvas.clientHeight * ratio)
  if (width === 0 || height === 0) return
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  const paint = canvas.getContext('2d')
  if (!paint) return
  const extent = scale.max - scale.min || 1
  const inset = 2 * ratio
  const y = (value: number) => height - inset - ((value - scale.min) / extent) * (height - 2 * inset)
  const x = (at: number) => inset + (at / (WINDOW_READINGS - 1)) * (width - 2 * inset)
  paint.clearRect(0, 0, width, height)
  const { mean, deviation } = device.axes[axis]!
  const line = colour(AXIS_COLOURS[axis % AXIS_COLOURS.length]!)
  const values = inOrder(device, axis)
  // The newest reading stands at the right edge, however many there are.
  const first = WINDOW_READINGS - values.length
  if (Number.isFinite(mean) && Number.isFinite(deviation)) {
    paint.globalAlpha = 0.14
    paint.fillStyle = line
    paint.fillRect(x(first) - inset, y(mean + deviation), width, Math.max(ratio, y(mean - deviation) - y(mean + deviation)))
    paint.globalAlpha = 1
  }
  paint.strokeStyle = line
  paint.lineWidth = 1.25 * ratio
  paint.lineJoin = 'round'
  paint.beginPath()
  let isDown = false
  values.forEach((value, at) => {
    if (!Number.isFinite(value)) isDown = false
    else if (isDown) paint.lineTo(x(first + at), y(value))
    else {
      paint.moveTo(x(first + at), y(value))
      isDown = true
    }
  })
  paint.stroke()
  const last = values.at(-1)
  if (last !== undefined && Number.isFinite(last)) {
    paint.fillStyle = line
    paint.beginPath()
    paint.arc(x(WINDOW_READINGS - 1), y(last), 1.8 * ratio, 0, 2 * Math.PI)
    paint.fill()
  }
}
