const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
};

/** Two projects: what runs anywhere, and what needs real daemons (root, containerd, a registry, Go). */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/test/integration/', '/test/conformance/'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/{integration,conformance}/**/*.test.ts'],
      // A project's own `testTimeout` is read by nobody; the one of all projects would let a hanging unit test wait.
      setupFilesAfterEnv: ['<rootDir>/test/support/daemon-setup.ts'],
    },
  ],
};
