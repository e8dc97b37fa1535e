// Runs the tests: `node run.mjs MILLSTREAM PICTURES SQL [NAME…]`.

import { World } from './world.mjs'
import * as devices from './devices.mjs'
import * as docs from './docs.mjs'
import * as editor from './editor.mjs'
import * as log from './log.mjs'
import * as queries from './queries.mjs'
import * as sources from './sources.mjs'
import * as topics from './topics.mjs'

const SUITES = { devices, sources, topics, queries, log, editor, docs }

const [program, pictures, sql, ...names] = process.argv.slice(2)
let failed = 0
for (const [name, suite] of Object.entries(SUITES)) {
  if (names.length > 0 && !names.includes(name)) continue
  const began = Date.now()
  const world = await World.start(program, pictures, sql)
  try {
    const context = (await suite.prepare?.(world)) ?? {}
    for (const [story, test] of Object.entries(suite.stories)) {
      const start = Date.now()
      try {
        await test(world, context)
        console.log(`ok ${name}: ${story} (${Date.now() - start} ms)`)
      } catch (error) {
        failed += 1
        console.log(`FAILED ${name}: ${story}\n${error.stack}`)
      }
    }
  } catch (error) {
    failed += 1
    console.log(`FAILED ${name}: what its stories begin with\n${error.stack}`)
  } finally {
    await world.stop()
  }
  console.log(`${name} took ${Math.round((Date.now() - began) / 1000)} s`)
}
process.exitCode = failed === 0 ? 0 : 1
