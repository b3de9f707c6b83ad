import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const orchestrator = process.env.ORCHESTRATOR_URL ?? 'http://127.0.0.1:5100'

const BROWSER = { environment: 'jsdom', setupFiles: ['./src/test/setup.ts'] }
/** What replaces parts of the browser or hands it streams has a process of its own. */
const APART = ['src/app/fallbacks.test.tsx', 'src/features/playground/playground.test.tsx']

export default defineConfig({
  plugins: [react()],
  base: '/ui/',
  build: { outDir: '../orchestrator/ui', emptyOutDir: true, sourcemap: false, target: 'es2022' },
  // The Host of the browser stays: the orchestrator refuses changes that come from another origin.
  server: { proxy: { '^/(api|v1)/': { target: orchestrator, changeOrigin: false } } },
  test: {
    css: false,
    restoreMocks: true,
    // A machine that is busy with other things must not fail a test.
    testTimeout: 30_000,
    maxWorkers: '100%',
    // Three kinds of tests: a world without a browser takes a fifth of the time, and vmThreads, which loads libraries once for all files, half.
    projects: [
      {
        extends: true,
        test: { name: 'logic', include: ['src/**/*.test.ts'], exclude: ['src/api/**'], environment: 'node' },
      },
      {
        extends: true,
        test: {
          name: 'components',
          include: ['src/**/*.test.tsx', 'src/api/*.test.ts'],
          exclude: APART,
          ...BROWSER,
          pool: 'vmThreads',
        },
      },
      { extends: true, test: { name: 'apart', include: APART, ...BROWSER } },
    ],
  },
})
