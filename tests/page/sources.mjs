// Streams and tables: their columns, and rows that change in place.

import assert from 'node:assert/strict'
import { until } from './world.mjs'

export async function prepare(world) {
  await world.statements(`CREATE STREAM clicks (id STRING KEY, page STRING, n BIGINT, place STRUCT<x INT, tags ARRAY<STRING>>)
    WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=2);`)
  await world.statements("SET 'cache.max.bytes.buffering'='0'; CREATE TABLE hits AS SELECT page, COUNT(*) AS n, MAX(n) AS most FROM clicks GROUP BY page EMIT CHANGES;")
}

const insert = (world, id, page, n) => world.statements(`INSERT INTO clicks (id, page, n) VALUES ('${id}', '${page}', ${n});`)

/** The cells of a grid, by rows. */
const grid = (tab) =>
  tab.$$eval('.grid .body [role=row]', (rows) => rows.map((row) => [...row.querySelectorAll('[role=cell]')].map((cell) => cell.textContent)))

const address = (source) => `/#/sources?source=${source}`

export const stories = {
  async 'columns, formats, readers and writers are those of DESCRIBE'(world) {
    const tab = await world.open(address('HITS'))
    await tab.getByRole('heading', { name: 'HITS', exact: true }).waitFor()
    const columns = await tab.$$eval('.columns li', (all) => all.map((item) => item.textContent))
    assert.deepEqual(columns, ['PAGE STRING key', 'N BIGINT', 'MOST BIGINT'])
    const facts = Object.fromEntries(await tab.$$eval('.facts div', (all) => all.map((div) => [...div.children].map((part) => part.textContent))))
    assert.deepEqual(facts, { Topic: 'HITS', Partitions: '2', 'Key format': 'KAFKA', 'Value format': 'JSON' })
    await tab.getByRole('link', { name: /^CTAS_HITS_\d+$/ }).waitFor()
    await tab.getByRole('link', { name: /CLICKS/ }).click()
    await tab.getByText('STRUCT<X INTEGER, TAGS ARRAY<STRING>>', { exact: true }).waitFor()
    await world.close(tab)
  },

  async 'rows of a table change where they stand, with all of their digits'(world) {
    await insert(world, 'a', '/x', '9007199254740993')
    await insert(world, 'b', '/y', 2)
    const tab = await world.open(address('HITS'))
    const shows = (rows) => until(`rows ${JSON.stringify(rows)}`, async () => JSON.stringify((await grid(tab)).sort()) === JSON.stringify(rows))
    await shows([['/x', '1', '9007199254740993'], ['/y', '1', '2']])
    const before = await grid(tab)
    await insert(world, 'c', before[0][0], 5)
    await until('the first row to change', async () => (await grid(tab))[0][1] === '2')
    assert.equal((await grid(tab))[1][1], '1')
    await world.close(tab)
  },

  async 'the newest rows of a stream come first'(world) {
    const tab = await world.open(address('CLICKS'))
    await tab.getByText('Those are shown that come from now on.').waitFor()
    await tab.waitForSelector('.grid')
    await insert(world, 'd', '/first', 1)
    await until('a row', async () => (await grid(tab)).length === 1)
    await insert(world, 'e', '/second', 2)
    await until('two rows', async () => (await grid(tab)).length === 2)
    assert.deepEqual((await grid(tab)).map((row) => row[2]), ['/second', '/first'])
    await world.close(tab)
  },

  async 'rows of a stream stay while the server is away, and it is said when some may be missing'(world) {
    const tab = await world.open(address('CLICKS'))
    await tab.waitForSelector('.grid')
    await insert(world, 'f', '/before', 1)
    await until('a row', async () => (await grid(tab)).length === 1)
    await world.server.stop()
    await tab.getByText(/The server is away since/).waitFor()
    await world.serve()
    await tab.getByText(/^Rows between .* may be missing here/).waitFor()
    await insert(world, 'g', '/after', 2)
    await until('both rows', async () => String((await grid(tab)).map((row) => row[2])) === '/after,/before')
    await tab.getByText('2 since this was opened').waitFor()
    await world.close(tab, /ERR_|Failed to load resource|WebSocket connection/)
  },

  async looks(world) {
    await world.looks(address('HITS'), 'sources', (tab) => tab.waitForSelector('.grid .body [role=row]'))
  },
}
