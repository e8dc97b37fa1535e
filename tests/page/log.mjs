// The processing log: what queries skip, by query and cause, with the records, as they come and from before.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './world.mjs'

const TOPIC = 'device-sensors'

export async function prepare(world) {
  await world.server.stop()
  await world.serve(world.url, '--property', 'ksql.logging.processing.rows.include=true')
  await world.run('produce', 'json', '--brokers', world.brokers, '--count', '0', '--rate', '0')
  await world.statements(`CREATE STREAM readings (device VARCHAR, x DOUBLE, n INT) WITH (KAFKA_TOPIC='${TOPIC}', VALUE_FORMAT='JSON');
    CREATE STREAM raw (text VARCHAR) WITH (KAFKA_TOPIC='${TOPIC}', VALUE_FORMAT='KAFKA');
    CREATE STREAM shares AS SELECT device, 10 / n AS share FROM readings;
    CREATE TABLE counts AS SELECT device, COUNT(*) AS times FROM readings GROUP BY device;`)
  await insert(world, [['no JSON', 3], ['{"DEVICE": "attic", "N": 0}', 2], ['{"DEVICE": "cellar", "N": 5}', 4]])
}

/** Writes texts to the topic, each so often. */
async function insert(world, texts) {
  const all = texts.flatMap(([text, times]) => Array(times).fill(`INSERT INTO raw VALUES ('${text}');`))
  await world.statements(all.join('\n'))
}

const queries = async (world) => {
  const [{ queries: all }] = await world.statements('SHOW QUERIES;')
  return Object.fromEntries(['SHARES', 'COUNTS'].map((sink) => [sink, all.find(({ id }) => id.includes(sink)).id]))
}

/** The rows of the table of counts. */
const counts = (tab) => tab.$$eval('.skip-counts tr', (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)))

export const stories = {
  async 'all that was skipped is counted by query and cause'(world) {
    const { SHARES, COUNTS } = await queries(world)
    const tab = await world.open('/#/log')
    const expected = [
      ['Query', 'value cannot be read', 'expression failed'],
      [SHARES, '3', '2'],
      [COUNTS, '3', '–'],
    ]
    await until('the counts', async () => String((await counts(tab)).sort()) === String(expected.sort()))
    assert.equal(await tab.locator('.skipped-total').textContent(), '8')
    await world.close(tab)
  },

  async 'a record is shown with its place, its reason and what it holds'(world) {
    const { SHARES } = await queries(world)
    const tab = await world.open('/#/log')
    await tab.getByLabel('Of which query').selectOption(SHARES)
    await tab.getByLabel('For which cause').selectOption('failed_expression')
    assert.match(tab.url(), /cause=failed_expression/)
    await until('those of one cause', async () => {
      const causes = await tab.locator('.skips .cause').allTextContents()
      return causes.length === 2 && causes.every((cause) => cause === 'expression failed')
    })
    const first = tab.locator('.skips > li').first()
    assert.match(await first.textContent(), /device-sensors, partition \d, offset \d+/)
    assert.match(await first.textContent(), /in step Project/)
    assert.equal(await first.locator('code').last().textContent(), '{"DEVICE": "attic", "N": 0}')
    await first.getByRole('link', { name: SHARES }).click()
    await tab.getByRole('heading', { name: 'Last skipped records' }).waitFor()
    await until('the last of them', async () => (await tab.locator('.skips > li').count()) === 5)
    await world.close(tab)
  },

  async 'what is skipped now comes by itself'(world) {
    const tab = await world.open('/#/log?cause=undecodable_value')
    await tab.waitForSelector('.skips > li')
    const before = await tab.locator('.skips > li').count()
    await insert(world, [['{"DEVICE": "porch"', 2]])
    await until('the new ones', async () => (await tab.locator('.skips > li').count()) === before + 4)
    assert.match(await tab.locator('.skips > li').first().textContent(), /\{"DEVICE": "porch"/)
    await tab.waitForSelector('.plot')
    await world.close(tab)
  },

  async looks(world) {
    await world.looks('/#/log', 'log', (tab) => tab.waitForSelector('.skips > li'))
  },

  async 'a server that has begun anew tells of what it has skipped since'(world) {
    const { SHARES } = await queries(world)
    const tab = await world.open(`/#/log?query=${SHARES}`)
    await tab.waitForSelector('.skips > li')
    await world.server.stop()
    await tab.getByText(/The server is away since/).waitFor()
    await world.serve()
    await tab.getByText(/The server was away from/).waitFor()
    await tab.getByRole('heading', { name: 'Nothing was skipped' }).waitFor()
    await insert(world, [['no JSON either', 1]])
    await tab.getByText('ksql.logging.processing.rows.include').waitFor()
    assert.equal(await tab.locator('.skips > li').count(), 1)
    assert.equal(await tab.locator('.skips code').count(), 0)
    await world.close(tab, /ERR_|Failed to load resource|WebSocket connection/)
  },
}
