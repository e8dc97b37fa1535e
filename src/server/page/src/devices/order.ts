// In which order devices stand, and which of them are shown.

import { AXIS } from './statement.js'
import type { AxisFigures, Device } from './model.js'

/** What devices are put in order by: a name in the address, what people read, and its value. */
export interface Order {
  id: string
  label: string
  value: (device: Device) => string | number
  /** Whether the largest come first unless told otherwise. */
  isDescending: boolean
}

const LABELS: Record<keyof AxisFigures, string> = { value: 'value', mean: 'mean', deviation: 'deviation', min: 'min', max: 'max' }

export function orders(axes: string[]): Order[] {
  return [
    { id: 'device', label: 'Device', value: (device) => device.name, isDescending: false },
    { id: 'activity', label: 'Activity', value: (device) => device.activity ?? '', isDescending: false },
    { id: 'readings', label: 'Readings', value: (device) => device.total, isDescending: true },
    { id: 'last', label: 'Last reading', value: (device) => device.time, isDescending: true },
    ...axes.flatMap((axis, at) =>
      AXIS.map((figure) => ({
        id: `${axis}.${figure}`,
        label: `${axis} ${LABELS[figure]}`,
        value: (device: Device) => device.axes[at]![figure],
        isDescending: true,
      })),
    ),
  ]
}

const names = new Intl.Collator('en', { numeric: true })

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'string') return names.compare(a, String(b))
  return a - (b as number)
}

/** What has no value yet is last in either direction. */
function hasNone({ value }: { value: string | number }): number {
  return Number(Number.isNaN(value))
}

export interface Wanted {
  order: Order
  isDescending: boolean
  search: string
  activity: string | undefined
}

/** The devices that are wanted, in their order. */
export function arranged(devices: Iterable<Device>, { order, isDescending, search, activity }: Wanted): Device[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const found = [...devices].filter((device) => {
    if (activity !== undefined && device.activity !== activity) return false
    const text = `${device.name} ${device.model ?? ''} ${device.activity ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const direction = isDescending ? -1 : 1
  const keyed = found.map((device) => ({ device, value: order.value(device) }))
  keyed.sort((a, b) => hasNone(a) - hasNone(b) || direction * compare(a.value, b.value) || names.compare(a.device.name, b.device.name))
  return keyed.map(({ device }) => device)
}
