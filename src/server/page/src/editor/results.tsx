// What a run gave.

import { Grid } from '../parts/grid.js'
import { Notice } from '../parts/notice.js'
import { cells, shown } from '../json.js'
import type { Column, Entity } from '../server.js'
import { count } from '../sql.js'
import { useStore, useVersion } from '../store.js'
import { ROWS_KEPT, type Result, type Run } from './run.js'

export function Results({ run }: { run: Run }) {
  const state = useStore(run.state)
  const answers = useStore(run.answers)
  const result = useStore(run.result)
  return (
    <section class="results" aria-label="Results">
      {state.is === 'failed' && (
        <Notice kind="error">
          <span class="message">{state.fault.message}</span>
          {state.fault.hints.map((hint) => (
            <p key={hint}>{hint}</p>
          ))}
        </Notice>
      )}
      {answers.map((entity, at) => (
        <Answer key={at} entity={entity} />
      ))}
      {result && !(state.is === 'failed' && result.total === 0) && <Rows result={result} run={run} />}
      {!result && state.is === 'done' && answers.length === 0 && <p class="muted" role="status">{state.says}</p>}
    </section>
  )
}

/** An answer to a statement: what it says, a list, or else all of it. */
function Answer({ entity }: { entity: Entity }) {
  const { '@type': type, statementText, warnings, ...rest } = entity
  const status = rest['commandStatus'] as { status: string; message: string } | undefined
  const list = Object.entries(rest).find(([, value]) => Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null))
  return (
    <div class="panel">
      <h2>{statementText}</h2>
      {warnings?.map(({ message }) => (
        <Notice kind="warning" key={message}>
          {message}
        </Notice>
      ))}
      {status ? (
        <p>
          {status.message} <small>{status.status.toLowerCase()}</small>
        </p>
      ) : list && Object.keys(rest).length === 1 ? (
        <List name={type} all={list[1] as Record<string, unknown>[]} />
      ) : (
        <pre tabIndex={0}>{JSON.stringify(rest, null, 2)}</pre>
      )}
    </div>
  )
}

function List({ name, all }: { name: string; all: Record<string, unknown>[] }) {
  if (all.length === 0) return <p class="muted">None.</p>
  const columns: Column[] = Object.keys(all[0]!).map((key) => ({
    name: key,
    type: typeof all[0]![key] === 'number' ? 'BIGINT' : '',
    isKey: false,
  }))
  const row = (at: number) => columns.map((column) => JSON.stringify(all[at]![column.name] ?? null))
  return <Grid label={name} columns={columns} count={all.length} row={row} rowKey={(at) => at} />
}

function Rows({ result, run }: { result: Result; run: Run }) {
  useVersion(result)
  const state = useStore(run.state)
  const isRunning = state.is === 'running'
  // Of what goes on, the newest is looked at.
  const place = (at: number) => (result.isPush ? result.count - 1 - at : at)
  return (
    <div class="panel">
      <header class="result-head">
        <span>
          {count(result.total)} {result.total === 1 ? 'row' : 'rows'}
          {result.total > ROWS_KEPT && `, the newest ${count(ROWS_KEPT)} are kept`}
          <span class="muted" role="status">
            {state.is === 'done' && ` · ${state.says}`}
          </span>
        </span>
        <span class="actions">
          {isRunning && (
            <button type="button" onClick={() => run.stop()}>
              Stop
            </button>
          )}
          <button type="button" disabled={result.count === 0} onClick={() => save(csv(result), 'rows.csv', 'text/csv')}>
            CSV
          </button>
          <button type="button" disabled={result.count === 0} onClick={() => save(json(result), 'rows.json', 'application/json')}>
            JSON
          </button>
        </span>
      </header>
      {result.columns.length > 0 && (
        <Grid
          label="Rows"
          columns={result.columns}
          count={result.count}
          row={(at) => cells(result.line(place(at)))}
          rowKey={(at) => (result.isPush ? result.total - at : at)}
        />
      )}
    </div>
  )
}

function csv(result: Result): string {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const row = (line: string) => cells(line).map((cell) => (cell === 'null' ? '' : field(shown(cell)))).join()
  const head = result.columns.map(({ name }) => field(name)).join()
  return [head, ...Array.from({ length: result.count }, (_, at) => row(result.line(at)))].join('\r\n') + '\r\n'
}

/** An array of objects, whose values are as they were sent. */
function json(result: Result): string {
  const names = result.columns.map(({ name }) => JSON.stringify(name))
  const row = (line: string) => `{${cells(line).map((cell, at) => `${names[at]}:${cell}`).join()}}`
  return `[${Array.from({ length: result.count }, (_, at) => row(result.line(at))).join(',\n')}]\n`
}

function save(text: string, name: string, type: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
