import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const orchestrator = process.env.ORCHESTRATOR_URL ?? 'http://127.0.0.1:5100'

export default defineConfig({
  plugins: [react()],
  base: '/ui/',
  build: { outDir: '../orchestrator/ui', emptyOutDir: true, sourcemap: false, target: 'es2022' },
  // The Host of the browser stays: the orchestrator refuses changes that come from another origin.
  server: { proxy: { '^/(api|v1)/': { target: orchestrator, changeOrigin: false } } },
  test: {
    environment: 'jsdom',
    setupFiles: ['./src/test/setup.ts'],
    css: false,
    restoreMocks: true,
  },
})
