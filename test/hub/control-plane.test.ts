import { expect, it } from 'vitest'
import { createTestHub } from './support.ts'

it('a repository is created with its namespace, shown in any case, and listed', async () => {
  const { call } = createTestHub()
  const created = await call('POST', '/namespaces/team/repos', { name: 'One', description: 'the first' })
  expect(created.text).toMatch(
    /^\{"result":\{"id":"[0-9a-z]{16}","name":"One","description":"the first","default_branch":"main","remote":"https:\/\/hub.example\/git\/team\/One.git","token":"art_v2_x_[0-9a-f]{40}\?expires=\d+"\},"success":true,"errors":\[\],"messages":\[\]\}$/,
  )
  expect(created.status).toBe(201)
  const fields =
    'id name description default_branch created_at updated_at last_push_at source read_only remote'
  const shown = await call('GET', '/namespaces/TEAM/repos/one')
  expect([shown.status, Object.keys(shown.json.result as object).join(' ')]).toEqual([200, fields])
  const listed = await call('GET', '/namespaces/team/repos')
  expect(listed.json.result).toEqual([{ ...(shown.json.result as object), status: 'ready' }])
})
