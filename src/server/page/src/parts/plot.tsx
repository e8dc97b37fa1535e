// A chart with axes, by uPlot.

import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import { clock } from '../sql.js'
import { useStore } from '../store.js'
import { colour, colours } from './theme.js'

export interface Line {
  label: string
  /** A colour's name in the style sheet. */
  colour: string
  /** Whether values are counts, and so bars. */
  isBars?: boolean
}

interface PlotProps {
  /** What is shown, for those who do not see it. */
  label: string
  lines: Line[]
  /** The places, then the values of each line. */
  data: (number | null)[][]
  /** Changes with the data. */
  version: number
  height: number
  /** Whether places are seconds since 1970. */
  isTime?: boolean
  /** The least range of values. */
  range?: (min: number, max: number) => [number, number]
}

const times = (_: UPlot, places: number[]) => places.map((seconds) => clock(seconds * 1000))

export function Plot({ label, lines, data, version, height, isTime = false, range }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | undefined>(undefined)
  const palette = useStore(colours)
  const names = lines.map((line) => line.label).join('\n')
  useEffect(() => {
    const element = place.current!
    const ink = colour('ink-2')
    const grid = { stroke: colour('line'), width: 1 }
    const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font: '11px system-ui' }
    const made = new UPlot(
      {
        width: Math.max(element.clientWidth, 50),
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: isTime }, y: range ? { range: (_, min, max) => range(min, max) } : {} },
        axes: [
          { ...axis, size: 24, space: 72, ...(isTime ? { values: times } : {}) },
          { ...axis, size: 48, space: 20 },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.label,
            stroke: colour(line.colour),
            width: 1.5,
            points: { show: false },
            ...(line.isBars ? { fill: colour(line.colour), width: 0, paths: UPlot.paths.bars!({ size: [0.8] }) } : {}),
          })),
        ],
      },
      data as UPlot.AlignedData,
      element,
    )
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: Math.max(element.clientWidth, 50), height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
    }
  }, [names, height, isTime, palette])
  useEffect(() => plot.current?.setData(data as UPlot.AlignedData), [version, data])
  return <div ref={place} class="plot" role="img" aria-label={label} />
}
