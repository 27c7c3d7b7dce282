// @vitest-environment node
// What the pages offer to send must be what the service understands.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { buildASTSchema, concatAST, extendSchema, GraphQLSchema, parse, validate, type DocumentNode } from 'graphql'
import { expect, test } from 'vitest'

import { firstLook } from './explorer/first-look.ts'

const root = join(import.meta.dirname, '..', '..')

function served(): GraphQLSchema {
  const folder = join(root, '..', 'schema')
  const documents = readdirSync(folder).filter((name) => name.endsWith('.graphql')).map((name) => parse(readFileSync(join(folder, name), 'utf8')))
  const all: DocumentNode = concatAST(documents)
  const isExtension = (kind: string): boolean => kind.endsWith('Extension')
  const base = buildASTSchema({ ...all, definitions: all.definitions.filter(({ kind }) => !isExtension(kind)) }, { assumeValidSDL: true })
  return extendSchema(base, { ...all, definitions: all.definitions.filter(({ kind }) => isExtension(kind)) }, { assumeValidSDL: true })
}

test('the explorer’s first query is valid', () => {
  expect(validate(served(), parse(firstLook))).toEqual([])
})

test('the front page’s command sends a valid query', () => {
  const page = readFileSync(join(root, 'index.html'), 'utf8')
  const body = /-d '(.*)'</.exec(page)?.[1]
  expect(body).toBeDefined()
  const { query } = JSON.parse(body ?? '') as { query: string }
  expect(validate(served(), parse(query))).toEqual([])
})

test.each(['index.html', 'graphiql/index.html'])('%s has nothing inline that the policy would stop', (name) => {
  const page = readFileSync(join(root, name), 'utf8')
  expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/)
  // Links may lead elsewhere; nothing may be loaded from there.
  expect(page).not.toMatch(/(?:src|<link[^>]*href)="(?:https?:)?\/\//)
})
