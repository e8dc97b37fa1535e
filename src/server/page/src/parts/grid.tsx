// Rows and columns, of which those rows alone are drawn that can be seen.

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { shown } from '../json.js'
import type { Column } from '../server.js'

const ROW_PX = 28
const MARGIN_ROWS = 6

interface GridProps {
  label: string
  columns: Column[]
  /** How many rows there are, and the cells of each as they were sent. */
  count: number
  row: (at: number) => string[]
  /** What stays with a row wherever it stands. */
  rowKey: (at: number) => string | number
  /** Whether it was changed just now. */
  isFresh?: (at: number) => boolean
  /** How wide columns are, where their types do not say it. */
  widths?: string[]
}

const NUMBER = /^(INTEGER|BIGINT|DOUBLE|DECIMAL)/

export function Grid({ label, columns, count, row, rowKey, isFresh, widths }: GridProps) {
  const place = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState<[number, number]>([0, 40])
  useLayoutEffect(() => {
    const element = place.current!
    const look = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / ROW_PX) - MARGIN_ROWS)
      const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW_PX) + MARGIN_ROWS
      setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]))
    }
    look()
    element.addEventListener('scroll', look, { passive: true })
    const resized = new ResizeObserver(look)
    resized.observe(element)
    return () => {
      element.removeEventListener('scroll', look)
      resized.disconnect()
    }
  }, [])
  const [first, last] = [range[0], Math.min(count, range[1])]
  const isNumber = columns.map((column) => NUMBER.test(column.type))
  const width = (at: number) => widths?.[at] ?? (isNumber[at] ? 'minmax(110px, 1fr)' : 'minmax(140px, 2fr)')
  const template = { gridTemplateColumns: columns.map((_, at) => width(at)).join(' ') }
  return (
    <div class="grid" ref={place} tabIndex={0} role="region" aria-label={label}>
      <div role="table" aria-label={label} aria-rowcount={count + 1} aria-colcount={columns.length}>
        <div role="rowgroup" class="head">
          <div role="row" aria-rowindex={1} style={template}>
            {columns.map(({ name, type, isKey }, at) => (
              <div role="columnheader" key={name} class={isNumber[at] ? 'number' : ''} title={`${name} ${type}${isKey ? ' KEY' : ''}`}>
                {name}
                <small>{isKey ? `${type} key` : type}</small>
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="body" style={{ height: `${count * ROW_PX}px` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, at) => {
            const index = first + at
            const found = row(index)
            const style = { ...template, transform: `translateY(${index * ROW_PX}px)` }
            return (
              <div role="row" aria-rowindex={index + 2} class={isFresh?.(index) ? 'fresh' : ''} key={rowKey(index)} style={style}>
                {columns.map((column, place) => (
                  <Cell key={column.name} text={found[place] ?? 'null'} isNumber={isNumber[place]!} />
                ))}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

function Cell({ text, isNumber }: { text: string; isNumber: boolean }) {
  const is = text === 'null' ? 'muted' : ''
  const value = shown(text)
  return (
    <div role="cell" class={`${isNumber ? 'number' : ''} ${is}`} title={value}>
      {value}
    </div>
  )
}
