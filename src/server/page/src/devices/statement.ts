// The push queries of the view. They are ordinary ones: whoever copies them into a shell sees the same rows.

import { options, axes, ends, type Choice, type Option } from './choice.js'
import { quoted } from '../sql.js'

/** How many rows the rolling figures look back, the present one included: as many as those of `millstream consume`. */
export const WINDOW_READINGS = 50

/** The places of columns that come before those of the axes. */
export const AT = { device: 0, time: 1, partition: 2, n: 3, activity: 4, before: 5, model: 6, axes: 7 } as const
/** The figures of an axis, in the order of their columns; the values that they are of are counted behind them. */
export const AXIS = ['value', 'mean', 'deviation', 'min', 'max'] as const
export const AXIS_COLUMNS = AXIS.length + 1

const ABSENT = 'CAST(NULL AS STRING)'

/** The readings, each with the figures of its device's last ones. */
export function readings(choice: Choice): string {
  const { device, activity, model } = choice.columns
  const by = `PARTITION BY ${device!.sql} ORDER BY ROWTIME`
  const rolling = (call: string) => `${call} OVER (${by} ROWS BETWEEN ${WINDOW_READINGS - 1} PRECEDING AND CURRENT ROW)`
  const columns = [
    device!.sql,
    'ROWTIME',
    'ROWPARTITION',
    rolling('COUNT(*)'),
    activity?.sql ?? ABSENT,
    activity ? `LAG(${activity.sql}) OVER (${by})` : ABSENT,
    model?.sql ?? ABSENT,
    ...axes(choice).flatMap(({ option: { sql } }) => [
      sql,
      rolling(`AVG(${sql})`),
      rolling(`STDDEV_SAMPLE(${sql})`),
      rolling(`MIN(${sql})`),
      rolling(`MAX(${sql})`),
      // Readings without a value are not among them.
      rolling(`COUNT(${sql})`),
    ]),
  ]
  const select = columns.map((column, at) => `${column} AS C${at}`).join(',\n  ')
  return `SELECT ${select}\nFROM ${quoted(choice.stream.name)} EMIT CHANGES;`
}

/** How strong a reading is, whatever its direction. */
function magnitude(choice: Choice): string {
  // In their own types, squares of whole numbers and decimals may be beyond what there is.
  const values = axes(choice).map(({ option: { sql } }) => `CAST(${sql} AS DOUBLE)`)
  return `SQRT(${values.map((value) => `${value}*${value}`).join(' + ')})`
}

/** Alerts as rows of device, activity, magnitude and time. */
export function alerts(choice: Choice): string | undefined {
  if (choice.alerts === undefined) return undefined
  if (typeof choice.alerts === 'number') {
    const { device, activity } = choice.columns
    if (axes(choice).length === 0) return undefined
    const size = magnitude(choice)
    // A number with an exponent is a DOUBLE in SQL, whatever its digits.
    return `SELECT ${device!.sql} AS C0, ${activity?.sql ?? ABSENT} AS C1, ${size} AS C2, ROWTIME AS C3
FROM ${quoted(choice.stream.name)} WHERE ${size} > ${choice.alerts.toExponential()} EMIT CHANGES;`
  }
  const all = options(choice.alerts)
  const { device, activity } = choice.columns
  const size = all.find((option) => option.type === 'DOUBLE' && /magnitude|strength|movement|value/i.test(option.id))
  const text = (option: Option | undefined) => same(all, option)?.sql ?? ABSENT
  return `SELECT ${text(device)} AS C0, ${text(activity)} AS C1, ${size?.sql ?? 'CAST(NULL AS DOUBLE)'} AS C2, ROWTIME AS C3
FROM ${quoted(choice.alerts.name)} EMIT CHANGES;`
}

/** Transitions as rows of device, activity before, activity now and time; none where the readings show them. */
export function transitions(choice: Choice): string | undefined {
  const found = choice.transitions && ends(choice.transitions)
  if (!found) return undefined
  const device = same(options(choice.transitions!), choice.columns.device)
  return `SELECT ${device?.sql ?? ABSENT} AS C0, ${found.from.sql} AS C1, ${found.to.sql} AS C2, ROWTIME AS C3
FROM ${quoted(choice.transitions!.name)} EMIT CHANGES;`
}

/** The column of another source that has the same name. */
function same(all: Option[], option: Option | undefined): Option | undefined {
  return all.find(({ id }) => id === option?.id)
}
