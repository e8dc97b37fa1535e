// The reference: the same functions as `SHOW FUNCTIONS`, with what `DESCRIBE FUNCTION` says of them.

import assert from 'node:assert/strict'
import { until } from './world.mjs'

const names = (tab) => tab.$$eval('.function h3', (all) => all.map((heading) => heading.firstChild.textContent.trim()))

export const stories = {
  async 'all functions are there, in the words of the server'(world) {
    const [{ functions }] = await world.statements('SHOW FUNCTIONS;')
    const tab = await world.open('/#/docs')
    await tab.waitForSelector('.function')
    const listed = [...new Set(functions.map(({ name }) => name.toUpperCase()))].sort()
    assert.deepEqual((await names(tab)).map((name) => name.toUpperCase()).sort(), listed)
    const [{ functions: forms }] = await world.statements('DESCRIBE FUNCTION INSTR;')
    const instr = tab.locator('.function', { has: tab.getByRole('heading', { name: /^INSTR/ }) })
    assert.equal(await instr.locator('li').count(), forms.length)
    assert.ok((await instr.textContent()).includes(forms[0].description))
    await world.close(tab)
  },

  async 'it is searched by names, other names and what functions do'(world) {
    const tab = await world.open('/#/docs')
    const search = tab.getByLabel('Search the reference')
    await search.fill('lower')
    await until('LCASE, which is LOWER elsewhere', async () => (await names(tab)).includes('LCASE') && (await names(tab)).length < 10)
    assert.match(tab.url(), /search=lower/)
    await search.fill('kafka_topic')
    await until('no function', async () => (await names(tab)).length === 0)
    assert.equal(await tab.locator('section.panel', { hasText: 'KAFKA_TOPIC' }).count(), 2)
    await world.close(tab)
  },

  async looks(world) {
    await world.looks('/#/docs', 'docs', (tab) => tab.waitForSelector('.function'))
  },
}
