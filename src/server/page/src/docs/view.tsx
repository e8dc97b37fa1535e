// What can be written: functions, statements, words, formats and properties, as the server's own tables have them.

import { Notice } from '../parts/notice.js'
import { useLoaded } from '../parts/load.js'
import { changed, go, href, route } from '../route.js'
import { language, statements } from '../server.js'
import { count } from '../sql.js'
import { useStore } from '../store.js'

interface Overload {
  call: string
  returns: string
  summary: string
  /** Expressions, or of aggregates the arguments of successive rows, and what they give. */
  examples: [string, string][]
}

interface FunctionReference {
  name: string
  kind: 'SCALAR' | 'TABLE' | 'AGGREGATE'
  category: string
  overloads: Overload[]
}

interface Language {
  functions: FunctionReference[]
  elsewhere: [string, string][]
  statements: string[]
  words: { word: string; is_reserved: boolean }[]
  formats: string[]
  options: { statement: string; names: string[] }[]
}

interface Property {
  name: string
  value: string | null
  editable: boolean
}

interface Known {
  language: Language
  properties: Property[]
}

async function load(): Promise<Known> {
  const [found, [answer]] = await Promise.all([language<Language>(), statements('SHOW PROPERTIES;')])
  return { language: found, properties: (answer?.['properties'] ?? []) as Property[] }
}

export function Docs() {
  const { parameters } = useStore(route)
  const { value: known, error } = useLoaded(load, [])
  if (error) return <Notice kind="error">The reference is not given: {error.message}</Notice>
  if (!known) return <p class="muted" role="status">Asking the server what it knows…</p>
  const search = parameters.get('search') ?? ''
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const has = (...texts: string[]) => words.every((word) => texts.some((text) => text.toLowerCase().includes(word)))
  const functions = known.language.functions.filter((one) => isFound(one, known.language.elsewhere, has))
  return (
    <>
      <header class="view-head">
        <h1>Reference</h1>
        <label class="search">
          <span class="hidden">Search the reference</span>
          <input
            type="search"
            placeholder="Search names and what they do"
            value={search}
            onInput={(event) => go(changed({ search: event.currentTarget.value || undefined }), false)}
          />
        </label>
        <span class="muted" role="status">
          {count(functions.length)} of {count(known.language.functions.length)} functions
        </span>
      </header>
      <div class="docs">
        <Language {...known.language} has={has} />
        <Properties all={known.properties.filter(({ name }) => has(name))} />
        <Functions all={functions} elsewhere={known.language.elsewhere} />
      </div>
    </>
  )
}

type Has = (...texts: string[]) => boolean

/** Whether words are found in what is said of a function, also by the names that it has in other systems. */
function isFound({ name, category, overloads }: FunctionReference, elsewhere: [string, string][], has: Has): boolean {
  const theirs = elsewhere.filter(([, here]) => here === name).map(([other]) => other)
  return has(name, category, ...theirs, ...overloads.flatMap(({ call, summary }) => [call, summary]))
}

function Functions({ all, elsewhere }: { all: FunctionReference[]; elsewhere: [string, string][] }) {
  const categories = [...new Set(all.map(({ category }) => category))].sort()
  return (
    <>
      {categories.map((category) => (
        <section class="panel" key={category} aria-label={category}>
          <h2>{category}</h2>
          {all
            .filter((one) => one.category === category)
            .map((one) => (
              <Function key={one.name} of={one} elsewhere={elsewhere.filter(([, here]) => here === one.name).map(([theirs]) => theirs)} />
            ))}
        </section>
      ))}
    </>
  )
}

function Function({ of: { name, kind, overloads }, elsewhere }: { of: FunctionReference; elsewhere: string[] }) {
  const summaries = [...new Set(overloads.map(({ summary }) => summary))]
  return (
    <article class="function">
      <h3>
        {name} <small>{kind.toLowerCase()}</small>
        {elsewhere.length > 0 && <small>elsewhere {elsewhere.join(', ')}</small>}
      </h3>
      {summaries.length === 1 && <p>{summaries[0]}</p>}
      <ul>
        {overloads.map(({ call, returns, summary, examples }) => (
          <li key={call}>
            <code>
              {call} → {returns}
            </code>
            {summaries.length > 1 && <p>{summary}</p>}
            <div class="examples">
              {examples.map(([input, result]) => (
                <span key={input}>
                  <code>{kind === 'AGGREGATE' ? `rows ${input}` : input}</code> gives <code>{result}</code>
                </span>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </article>
  )
}

function Language({ statements, words, formats, options, has }: Language & { has: Has }) {
  const foundStatements = statements.filter((word) => has(word, 'statement'))
  const foundWords = words.filter(({ word }) => has(word, 'word'))
  const foundFormats = formats.filter((name) => has(name, 'format'))
  const foundOptions = options
    .map(({ statement, names }) => ({ statement, names: names.filter((name) => has(name, 'with', statement)) }))
    .filter(({ names }) => names.length > 0)
  return (
    <>
      {foundStatements.length > 0 && (
        <section class="panel">
          <h2>Statements begin with</h2>
          <p class="words">{foundStatements.map((word) => <code key={word}>{word}</code>)}</p>
          <p class="muted">
            What follows each, the <a href={href('editor')}>editor</a> completes and its errors say.
          </p>
        </section>
      )}
      {foundFormats.length > 0 && (
        <section class="panel">
          <h2>Formats of keys and values</h2>
          <p class="words">{foundFormats.map((name) => <code key={name}>{name}</code>)}</p>
        </section>
      )}
      {foundOptions.map(({ statement, names }) => (
        <section class="panel" key={statement}>
          <h2>WITH of {statement}</h2>
          <p class="words">{names.map((name) => <code key={name}>{name}</code>)}</p>
        </section>
      ))}
      {foundWords.length > 0 && (
        <details class="panel" open={words.length !== foundWords.length}>
          <summary>Words ({count(foundWords.length)}): a name that is one of those in bold needs quotes</summary>
          <p class="words">
            {foundWords.map(({ word, is_reserved }) => (
              <code key={word} class={is_reserved ? 'reserved' : ''}>
                {word}
              </code>
            ))}
          </p>
        </details>
      )}
    </>
  )
}

function Properties({ all }: { all: Property[] }) {
  if (all.length === 0) return null
  return (
    <details class="panel">
      <summary>Properties of this server ({count(all.length)})</summary>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Properties of this server">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Property</th>
              <th scope="col">Value</th>
              <th scope="col">SET</th>
            </tr>
          </thead>
          <tbody>
            {all.map(({ name, value, editable }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{value ?? '–'}</td>
                <td>{editable ? 'may be set' : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
