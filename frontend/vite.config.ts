import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const orchestrator = process.env.ORCHESTRATOR_URL ?? 'http://127.0.0.1:5100'

export default defineConfig({
  plugins: [react()],
  base: '/ui/',
  build: { outDir: '../orchestrator/ui', emptyOutDir: true, sourcemap: false, target: 'es2022' },
  server: { proxy: { '/api': orchestrator, '/v1': orchestrator } },
  test: {
    environment: 'jsdom',
    setupFiles: ['./src/test/setup.ts'],
    css: false,
    restoreMocks: true,
  },
})
