import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.ts'],
    // Children run what is built, and no file may build it while another's children read it. Afterwards nothing may be left.
    globalSetup: ['__test__/support/build.ts'],
    // A native addon shares one runtime a process, so each file gets a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    // A machine of CI may be busy for a moment; what needed a second try is named in the output.
    retry: process.env.CI ? 1 : 0,
    // Waits end by what they wait for; their ends are for what never comes, on a machine that does much else.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
    // What ends by itself may take a moment before it counts as left behind.
    teardownTimeout: 60_000,
  },
})
