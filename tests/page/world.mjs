// A broker, a server beside it, and a browser that looks at its page.

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { mkdtemp, mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** How long anything may take that is waited for. */
export const PATIENCE_MS = 60_000

/** A program that runs until it is stopped. */
class Running {
  constructor(program, args) {
    this.text = ''
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.ended = new Promise((resolve) => this.child.on('close', resolve))
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (data) => (this.text += data))
  }

  /** What stands where a pattern says, once it is written. */
  async says(pattern) {
    return until(`${pattern} of ${this.child.spawnargs.join(' ')}`, () => pattern.exec(this.text)?.[1], () => this.text)
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal)
    await this.ended
  }
}

/** Waits until something is there. */
export async function until(what, look, tell = () => '') {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${tell()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export class World {
  static async start(program, pictures, sql) {
    const world = new World()
    Object.assign(world, { program, pictures, sql })
    world.folder = await mkdtemp(join(tmpdir(), 'millstream-page-'))
    await mkdir(pictures, { recursive: true })
    world.broker = new Running(program, ['broker', '--kafka-port', '0'])
    world.brokers = await world.broker.says(/connect to ([0-9.:]+)/)
    await world.serve('http://127.0.0.1:0')
    // Without a sandbox of its own it runs as root, in containers above all.
    const args = ['--no-sandbox', '--disable-dev-shm-usage']
    world.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
    return world
  }

  /** Starts the server; one that was stopped before is found where it was. */
  async serve(listeners = this.url, ...more) {
    const args = ['server', '--bootstrap-servers', this.brokers, '--listeners', listeners, ...more]
    this.server = new Running(this.program, [...args, '--property', 'commit.interval.ms=200'])
    this.url = await this.server.says(/listening on (http[0-9.:/]+[0-9])/)
  }

  async stop() {
    await this.browser?.close()
    await this.server?.stop()
    await this.broker?.stop()
    if (this.folder) await rm(this.folder, { recursive: true, force: true })
  }

  /** Runs the program to its end, and gives what it writes. */
  async run(...args) {
    const running = new Running(this.program, args)
    const code = await running.ended
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${running.text}`)
    return running.text
  }

  spawn(...args) {
    return new Running(this.program, args)
  }

  async ask(path, body) {
    const headers = { 'content-type': 'application/json', accept: 'application/vnd.ksql.v1+json' }
    const response = await fetch(this.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${JSON.stringify(body)}: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  statements(ksql) {
    return this.ask('/ksql', { ksql, streamsProperties: { 'auto.offset.reset': 'earliest' } })
  }

  /** Has the server run a file of this program's SQL. */
  async define(file) {
    await this.statements(await readFile(join(this.sql, file), 'utf8'))
  }

  /** The rows of a pull query. */
  async rows(sql) {
    const answer = await this.ask('/query-stream', { sql, properties: { 'auto.offset.reset': 'earliest' } })
    return answer.filter((line) => line.row).map((line) => line.row.columns)
  }

  /** A tab of the browser. What goes wrong in it is noted, and fails the test that closes it. */
  async open(address, { width = 1440, height = 900, scheme = 'light', url = this.url, login } = {}) {
    const context = await this.browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: 'reduce',
      acceptDownloads: true,
      ...(login ? { httpCredentials: login } : {}),
    })
    const tab = await context.newPage()
    tab.setDefaultTimeout(PATIENCE_MS)
    tab.faults = []
    tab.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) tab.faults.push(message.text())
    })
    tab.on('pageerror', (error) => tab.faults.push(String(error)))
    await tab.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))
    })
    await tab.goto(url + address)
    return tab
  }

  /** Closes a tab, in which nothing may have gone wrong but what is expected. */
  async close(tab, expected = /^$/) {
    const faults = tab.faults.filter((fault) => !expected.test(fault))
    if (faults.length > 0) throw new Error(`the console says: ${faults.join('\n')}`)
    await tab.context().close()
  }

  /** Fails if somebody cannot use the page who sees or hears it otherwise. */
  async accessible(tab, name) {
    const violations = await accessibility(tab)
    if (violations.length > 0) throw new Error(`${name} is not accessible:\n${violations.join('\n')}`)
  }

  async picture(tab, name) {
    await tab.screenshot({ path: join(this.pictures, `${name}.png`) })
  }

  /** Pictures of a view, wide and narrow, light and dark, each of which everybody can use. */
  async looks(address, name, ready) {
    for (const [width, height] of [[1440, 900], [360, 740]]) {
      for (const scheme of ['light', 'dark']) {
        const tab = await this.open(address, { width, height, scheme })
        await ready(tab)
        await this.picture(tab, `${name}-${width}-${scheme}`)
        await this.accessible(tab, `${name}, ${width} wide, ${scheme}`)
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        if (overflow > 0) throw new Error(`${name} is ${overflow} pixels wider than ${width}`)
        await this.close(tab)
      }
    }
  }
}

/** The policy of the page lets no script in but its own, so axe comes in by the browser's debugger, which it does not bind. */
async function accessibility(tab) {
  await tab.evaluate(await readFile(AXE, 'utf8'))
  return tab.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html).join(' | ')}`)
  })
}
