// Topics: how records lie over partitions, who reads them, and the records themselves.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './world.mjs'

/** Readings by device: nine of ten are of one, and each device has a partition of its own. */
const READINGS = { attic: 900, cellar: 50, porch: 50 }
const MODELS = { attic: 'nexus4', cellar: 'iphone12', porch: 'pixel6' }
const TOPIC = 'device-sensors'
const SINK = 'BY_DEVICE'

async function produce(world, readings) {
  const lines = Object.entries(readings).flatMap(([device, count]) =>
    Array.from({ length: count }, (_, at) =>
      JSON.stringify({
        Arrival_Time: 1_700_000_000_000 + at,
        Creation_Time: 1_700_000_000_000_000_000,
        Device: device,
        Index: at,
        Model: MODELS[device],
        User: 'a',
        gt: 'walk',
        x: 1.5,
        y: -2,
        z: 0,
      }),
    ),
  )
  const file = join(world.folder, 'skewed.jsonl')
  await writeFile(file, lines.join('\n') + '\n')
  const places = ['nexus4=0', 'iphone12=1', 'pixel6=2'].flatMap((place) => ['--partition', place])
  await world.run('produce', 'json', '--brokers', world.brokers, '--from', file, '--rate', '0', ...places)
}

export async function prepare(world) {
  await world.run('produce', 'json', '--brokers', world.brokers, '--count', '0', '--rate', '0')
  await world.statements(`CREATE STREAM readings (device VARCHAR, gt VARCHAR, x DOUBLE) WITH (KAFKA_TOPIC='${TOPIC}', VALUE_FORMAT='JSON');
    CREATE STREAM by_device AS SELECT device, gt, x FROM readings PARTITION BY device;`)
  // A topic's end is looked at from time to time: what comes from then on is counted.
  await until('the sink to be known', async () => (await figures(world)).topics.some(({ name }) => name === SINK))
  await produce(world, READINGS)
}

const figures = async (world) => (await fetch(`${world.url}/v1/millstream/figures`)).json()

const address = (query = '') => `/#/topics?topic=${TOPIC}${query}`

const values = (tab, selector) => tab.$$eval(selector, (found) => found.map((data) => Number(data.value)))

/** All readings are counted, and the chart has points. */
async function ready(tab) {
  await tab.waitForFunction(() => document.querySelector('.partitions .records')?.value === '900')
  await tab.waitForSelector('.summary .plot')
}

const grid = (tab) =>
  tab.$$eval('.grid .body [role=row]', (rows) => rows.map((row) => [...row.querySelectorAll('[role=cell]')].map((cell) => cell.textContent)))

export const stories = {
  async 'a skew is read off the page'(world) {
    const tab = await world.open(address())
    await ready(tab)
    assert.deepEqual(await values(tab, '.partitions .records'), [900, 50, 50])
    assert.deepEqual(await values(tab, '.partitions .share-all'), [0.9, 0.05, 0.05])
    assert.deepEqual(await values(tab, '.variation'), [1.202])
    assert.equal(await tab.locator('.verdict').textContent(), 'hot')
    await tab.getByText('partition 0 has 90.0 %, where an even share is 33.3 %').waitFor()
    const widths = await tab.$$eval('.partitions .share .all', (bars) => bars.map((bar) => bar.getBoundingClientRect().width))
    assert.ok(Math.abs(widths[0] / widths[1] - 18) < 1, `bars are ${widths} wide`)
    await tab.getByText(/that queries here read since the server started, each once/).waitFor()
    await until('the last minute to show the same', async () => {
      const cells = await tab.$$eval('.partitions tbody tr', (rows) => rows.map((row) => row.children[3].textContent))
      return String(cells) === '90.0 %,5.0 %,5.0 %'
    })
    await world.close(tab)
  },

  async 'who reads a topic, and how far behind'(world) {
    const tab = await world.open(address())
    await ready(tab)
    const row = tab.locator('.lags tbody tr')
    await until('all to be read', async () => {
      const cells = await row.first().locator('td').allTextContents()
      return String(cells) === 'running,1,000,0,–'
    })
    await row.getByRole('link', { name: /^CSAS_BY_DEVICE_\d+$/ }).click()
    await tab.getByRole('heading', { name: /^CSAS_BY_DEVICE_\d+$/ }).waitFor()
    await world.close(tab)
  },

  async 'a topic that no query reads is counted by its ends, and that is said'(world) {
    const tab = await world.open(`/#/topics?topic=${SINK}`)
    await tab.getByText(/At most so many: no query here reads this topic/).waitFor()
    await until('its growth', async () => (await values(tab, '.partitions .records')).reduce((sum, one) => sum + one, 0) === 1_000)
    assert.match(await tab.locator('.partitions .records').first().textContent(), /^≤ /)
    await world.close(tab)
  },

  async 'its hot key is found among the records seen here'(world) {
    const tab = await world.open(`/#/topics?topic=${SINK}&from=earliest`)
    const keys = async () => {
      await tab.getByText('in the last 1,000 records seen here, 3 different').waitFor()
      return tab.$$eval('.keys li', (all) => all.map((item) => [item.querySelector('b').textContent, Number(item.querySelector('data').value)]))
    }
    const expected = [['attic', 900], ['cellar', 50], ['porch', 50]]
    await tab.getByText('What keys and values are written in is guessed').waitFor()
    assert.deepEqual(await keys(), expected)
    assert.match((await grid(tab))[0][4], /"GT":"walk","X":1\.5/)
    await tab.getByLabel('Records are read').selectOption('BY_DEVICE')
    await tab.getByText('What cannot be read as a row of BY_DEVICE is left out').waitFor()
    assert.deepEqual(await keys(), expected)
    assert.match((await tab.locator('.keys small').allTextContents()).join(), /^(partition \d,?){3}$/)
    const [first] = await grid(tab)
    assert.equal(first.length, 5)
    assert.match(first[2], /^\d+$/)
    assert.match(first[4], /"GT": "walk", "X": 1\.5/)
    await world.close(tab)
  },

  async 'records without keys lie in any partition'(world) {
    const tab = await world.open(address('&from=earliest'))
    await tab.getByText('in the last 1,000 records seen here, 1 different').waitFor()
    assert.deepEqual(await tab.locator('.keys small').allTextContents(), ['several partitions'])
    await world.close(tab)
  },

  async 'records are filtered, and stand still while they are looked at'(world) {
    const tab = await world.open(`/#/topics?topic=${SINK}`)
    await tab.getByText('Those are shown that come from now on.').waitFor()
    await tab.waitForSelector('.grid')
    // The query has to be there before what it shall show.
    await until('records', async () => {
      await produce(world, { cellar: 3, porch: 2 })
      return (await grid(tab)).length >= 5
    })
    await tab.getByLabel('Filter records').fill('PORCH')
    await until('those of one device', async () => (await grid(tab)).every((row) => row[3] === 'porch'))
    await tab.getByRole('button', { name: 'Pause' }).click()
    const before = await grid(tab)
    const kept = async () => Number(/came, (\d+) of the newest/.exec(await tab.locator('.newest-records').textContent())[1])
    const had = await kept()
    await produce(world, { porch: 4 })
    await tab.getByRole('button', { name: /Go on, [1-9]\d* newer/ }).waitFor()
    assert.deepEqual(await grid(tab), before)
    await tab.getByRole('button', { name: /Go on/ }).click()
    await until('the newer ones', async () => (await kept()) >= had + 4)
    await world.close(tab)
  },

  async 'records are looked at from an offset or a time on, and chosen by an expression'(world) {
    const tab = await world.open(`/#/topics?topic=${SINK}&from=earliest&as=BY_DEVICE`)
    const said = (pattern) => until(String(pattern), async () => pattern.test(await tab.locator('.newest-records').textContent()))
    await said(/1,0\d\d came/)
    await tab.getByLabel('WHERE').fill("DEVICE = 'porch' AND X > 1")
    await tab.getByRole('button', { name: 'Choose' }).click()
    assert.match(tab.url(), /where=DEVICE/)
    await until('those of one device', async () => {
      const rows = await grid(tab)
      return rows.length > 5 && rows.every((row) => row[3] === 'porch')
    })
    await tab.getByLabel('WHERE').fill('NOTHING = 1')
    await tab.getByRole('button', { name: 'Choose' }).click()
    await tab.getByText(/They are not given: .*NOTHING/s).waitFor()
    await tab.getByLabel('Records are read').selectOption('as they are')
    await tab.getByLabel('Records begin').selectOption('from an offset')
    await tab.getByLabel('Offset', { exact: true }).fill('7')
    await tab.getByLabel('Offset', { exact: true }).press('Tab')
    await until('those behind an offset', async () => {
      const offsets = (await grid(tab)).map((row) => Number(row[2]))
      return tab.url().includes('from=offset%3A7') && offsets.length > 0 && offsets.every((offset) => offset >= 7)
    })
    await tab.getByLabel('Records begin').selectOption('from a time')
    await tab.getByLabel('Time', { exact: true }).fill('2100-01-01T00:00:00')
    await tab.getByLabel('Time', { exact: true }).press('Tab')
    await said(/0 came/)
    await world.close(tab, /status of 400/)
  },

  async 'without a stream over it a topic has no columns to choose by'(world) {
    await world.statements("CREATE TABLE by_key (device VARCHAR PRIMARY KEY) WITH (KAFKA_TOPIC='alone', PARTITIONS=1, VALUE_FORMAT='JSON');")
    const tab = await world.open('/#/topics?topic=alone')
    await tab.getByText('No stream covers this topic').waitFor()
    await world.close(tab)
  },

  async 'who comes late sees the past, and six hours too'(world) {
    const tab = await world.open(address())
    await tab.waitForSelector('.partitions .trace')
    await until('what came before the page was opened', () =>
      tab.$eval('.trace', (canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, Math.max(1, canvas.height - 3))
        return data.some((value) => value > 0)
      }),
    )
    await tab.getByRole('button', { name: '6 h' }).click()
    assert.match(tab.url(), /span=6\+h/)
    await tab.getByText('Over 6 h').waitFor()
    await world.close(tab)
  },

  async 'a topic that is not there is said'(world) {
    const tab = await world.open('/#/topics?topic=nope')
    await tab.getByText('Nothing is known of a topic nope').waitFor()
    await world.accessible(tab, 'no topic')
    await world.close(tab)
  },

  async looks(world) {
    const shown = async (tab) => {
      await tab.waitForSelector('.keys li')
      await tab.waitForSelector('.summary .plot')
    }
    await world.looks(`/#/topics?topic=${TOPIC}&from=earliest`, 'topics', shown)
    const tab = await world.open(`/#/topics?topic=${SINK}&from=earliest`, { height: 1600 })
    await shown(tab)
    await world.picture(tab, 'topic-1440-light')
    await world.close(tab)
  },

  async 'figures are there again once the server is'(world) {
    const tab = await world.open(address())
    await tab.waitForSelector('.partitions')
    await world.server.stop()
    await tab.getByText(/The server is away since/).waitFor()
    await world.serve()
    await tab.getByText(/The server was away from/).waitFor()
    await produce(world, { attic: 10 })
    await until('what came since', async () => (await values(tab, '.partitions .records'))[0] === 10)
    await world.close(tab, /ERR_|Failed to load resource|WebSocket connection/)
  },
}
