// A small chart of what came over time, without axes: where it stands, figures stand beside it.

import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Values } from '../figures.js'
import { useStore } from '../store.js'
import { colour, colours } from './theme.js'

interface TraceProps {
  values: Values
  /** The value at the upper edge, so that several can be compared. */
  max: number
  /** Changes with the values. */
  version: number
  /** How many points the whole width has. */
  points: number
}

export function Trace({ values, max, version, points }: TraceProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const palette = useStore(colours)
  useLayoutEffect(() => {
    if (canvas.current) draw(canvas.current, { values, max, version, points })
  }, [values, max, version, points, palette])
  return <canvas ref={canvas} class="trace" aria-hidden="true" />
}

function draw(canvas: HTMLCanvasElement, { values, max, points }: TraceProps): void {
  const ratio = devicePixelRatio || 1
  const width = Math.round(canvas.clientWidth * ratio)
  const height = Math.round(canvas.clientHeight * ratio)
  if (width === 0 || height === 0) return
  canvas.width = width
  canvas.height = height
  const paint = canvas.getContext('2d')
  if (!paint) return
  paint.fillStyle = colour('accent')
  // A column of pixels shows the greatest of its points, lest what is short be passed over.
  const columns = Array<number>(width).fill(0)
  values.forEach((value, at) => {
    const column = Math.min(width - 1, Math.floor(((points - values.length + at) / points) * width))
    if (value !== null && column >= 0) columns[column] = Math.max(columns[column]!, value)
  })
  const wide = Math.max(1, Math.ceil(width / points))
  columns.forEach((value, column) => {
    if (value > 0) {
      const high = Math.max(ratio, (value / (max || 1)) * height)
      paint.fillRect(column, height - high, wide, high)
    }
  })
  paint.fillStyle = colour('line')
  paint.fillRect(0, height - ratio, width, ratio)
}
