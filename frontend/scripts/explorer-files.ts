// GraphiQL is used as its makers build it, one script and one style sheet over React, rather than bundled again: what is
// served is byte for byte what they released. This plugin puts those four files among the assets, names them in the
// explorer's page, and collects the licences of everything inside them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import type { HtmlTagDescriptor, Plugin } from 'vite'

const page = '/graphiql/index.html'

// In the order in which they must be loaded.
const files = [
  'graphiql/graphiql.min.css',
  'react/umd/react.production.min.js',
  'react-dom/umd/react-dom.production.min.js',
  'graphiql/graphiql.min.js',
]

const modules = join(import.meta.dirname, '..', 'node_modules')

export function explorerFiles(): Plugin {
  let building = false
  return {
    name: 'explorer-files',
    configResolved(config) {
      building = config.command === 'build'
    },
    buildStart() {
      if (!building) return
      for (const file of files) {
        this.emitFile({ type: 'asset', name: basename(file), source: readFileSync(join(modules, file)) })
      }
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: licenses(['graphiql', 'react', 'react-dom']) })
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, { path, bundle }) {
        if (path !== page) return
        return files.map((file) => tag(bundle === undefined ? `/node_modules/${file}` : emitted(bundle, basename(file))))
      },
    },
  }
}

// Deferred scripts run in their order and before the page's own module, which stands after them.
function tag(url: string): HtmlTagDescriptor {
  return url.endsWith('.css')
    ? { tag: 'link', attrs: { rel: 'stylesheet', href: url }, injectTo: 'head-prepend' }
    : { tag: 'script', attrs: { defer: true, src: url }, injectTo: 'head-prepend' }
}

function emitted(bundle: Record<string, { type: string; fileName: string; names?: string[] }>, name: string): string {
  const found = Object.values(bundle).find((file) => file.type === 'asset' && file.names?.includes(name))
  if (found === undefined) throw new Error(`${name} was not emitted`)
  return `/${found.fileName}`
}

interface Manifest {
  version: string
  license?: string
  dependencies?: Record<string, string>
}

// licenses gives the licence text of each package and of all that it depends on, in the order of their names.
function licenses(roots: string[]): string {
  const texts = new Map<string, string>()
  const visit = (name: string, from: string): void => {
    const folder = [join(from, 'node_modules', name), join(modules, name)].find((path) => existsSync(join(path, 'package.json')))
    if (folder === undefined) return
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    const title = `${name} ${manifest.version} (${manifest.license ?? 'see below'})`
    if (texts.has(title)) return
    const file = readdirSync(folder).sort().find((entry) => /^licen[cs]e/i.test(entry))
    texts.set(title, file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim())
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, folder)
  }
  for (const root of roots) visit(root, modules)
  const parts = [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, text]) => `${title}\n\n${text}\n`)
  return `The API explorer contains:\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}
