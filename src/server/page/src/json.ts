// JSON as it was sent. Numbers are not read into ones of the browser, which would take digits from them.

/** The elements of an array, as text; `at` is behind its bracket. */
function elements(text: string, at: number): string[] {
  const found: string[] = []
  let depth = 0
  let start = at
  for (; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      for (at++; text[at] !== '"' && at < text.length; at++) if (text[at] === '\\') at++
    } else if (char === '[' || char === '{') depth += 1
    else if (depth > 0 && (char === ']' || char === '}')) depth -= 1
    else if (depth === 0 && (char === ',' || char === ']')) {
      if (at > start) found.push(text.slice(start, at))
      if (char === ']') return found
      start = at + 1
    }
  }
  return found
}

const COLUMNS = '"columns":['

/** The cells of a row, as they were sent. */
export function cells(line: string): string[] {
  const at = line.indexOf(COLUMNS)
  return at < 0 ? [] : elements(line, at + COLUMNS.length)
}

/** Whether a row says that its key is gone. It is said behind all columns, whatever they hold. */
export function isTombstone(line: string): boolean {
  return line.endsWith('"tombstone":true}}')
}

/** A cell for people: text without its quotes, everything else as it is. */
export function shown(cell: string): string {
  return cell.startsWith('"') ? (JSON.parse(cell) as string) : cell
}
