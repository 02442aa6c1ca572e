import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.ts'],
    // Children run what is built, and no file may build it while another's children read it.
    globalSetup: ['__test__/support/build.ts'],
    // A native addon shares one runtime a process, so each file gets a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    // A machine of CI may be busy for a moment; what needed a second try is named in the output.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
