import { defineConfig } from 'vitest/config';

// Unit tests need no database and start at once; the rest share one Postgres, started for the run by global-setup.ts.
export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores, one Postgres beside: more files at once only wait for each other.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['tests/{contract,integration,fault,e2e}/**/*.test.ts'],
          globalSetup: ['tests/support/global-setup.ts'],
        },
      },
    ],
  },
});
