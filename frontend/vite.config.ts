import { defineConfig } from 'vitest/config'

import { explorerFiles } from './scripts/explorer-files.ts'

// The pages are served under a policy without inline scripts and styles, hence no inlined assets and no preload polyfill.
export default defineConfig({
  plugins: [explorerFiles()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: ['index.html', 'graphiql/index.html'],
    },
  },
  server: {
    // `npm run dev` beside a running service.
    proxy: Object.fromEntries(
      ['/graphql', '/healthz', '/readyz', '/keys'].map((path) => [path, 'http://127.0.0.1:8080']),
    ),
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
  },
})
