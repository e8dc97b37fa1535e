// What a word can become: columns, sources and functions that the server has, and keywords.

import { options } from '../devices/choice.js'
import { sources, type Source } from '../catalogue.js'
import { statements as run } from '../server.js'
import { KEYWORDS, tokens } from './lex.js'

export interface Known {
  sources: Source[]
  functions: string[]
}

export interface Candidate {
  text: string
  kind: 'column' | 'source' | 'function' | 'keyword'
}

const SHOWN = 12
const BEFORE_SOURCES = new Set(['FROM', 'JOIN', 'INTO', 'DESCRIBE', 'TABLE', 'STREAM'])

export async function known(): Promise<Known> {
  const [all, answers] = await Promise.all([sources(), run('LIST FUNCTIONS;')])
  const functions = (answers[0]?.['functions'] ?? []) as { name: string }[]
  return { sources: all, functions: functions.map(({ name }) => name.toUpperCase()).sort() }
}

/** A name as it can be written: with quotes where it needs them. */
function written(name: string): string {
  return /^[A-Z_][A-Z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? name : '`' + name.replaceAll('`', '``') + '`'
}

/** The word that ends at a place. */
export function wordAt(text: string, place: number): string {
  return /[A-Za-z_][\w]*$/.exec(text.slice(0, place))?.[0] ?? ''
}

/** What the word that ends at a place can become, the likeliest first. */
export function candidates(text: string, place: number, { sources, functions }: Known): Candidate[] {
  const word = wordAt(text, place).toUpperCase()
  const here = tokens(text)
  const within = here.find((token) => token.at < place && place <= token.at + token.text.length)
  if (within && (within.kind === 'comment' || within.kind === 'string')) return []
  const before = here.filter((token) => token.kind !== 'space' && token.at + token.text.length <= place - word.length).at(-1)
  const named = new Set(here.map((token) => token.text.toUpperCase().replaceAll('`', '')))
  const columns = sources.filter((source) => named.has(source.name.toUpperCase())).flatMap(options)
  const wantsSource = before !== undefined && BEFORE_SOURCES.has(before.text.toUpperCase())
  const all: Candidate[] = [
    ...(wantsSource ? [] : columns.filter(({ id }) => !id.includes('->')).map(({ id }) => ({ text: written(id), kind: 'column' as const }))),
    ...sources.map(({ name }) => ({ text: written(name), kind: 'source' as const })),
    ...(wantsSource ? [] : functions.map((name) => ({ text: name, kind: 'function' as const }))),
    ...[...KEYWORDS].map((name) => ({ text: name, kind: 'keyword' as const })),
  ]
  const seen = new Set<string>()
  return all
    .filter(({ text }) => {
      const is = text.replaceAll('`', '').toUpperCase().startsWith(word) && text.toUpperCase() !== word && !seen.has(text)
      seen.add(text)
      return is
    })
    .slice(0, SHOWN)
}
