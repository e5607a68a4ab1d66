/** Before every test file that starts and stops real daemons. */
import { resolve } from 'node:path';
import { jest } from '@jest/globals';

/**
 * What each hook and test may take that says nothing else, milliseconds: several daemons one after the other, on a machine
 * a few times slower than a developer's.
 */
const DEADLINE_MS = 60_000;

jest.setTimeout(DEADLINE_MS);
// Node starts our programs in half the time when it finds them compiled; the tests start them some five hundred times.
process.env.NODE_COMPILE_CACHE ??= resolve(import.meta.dirname, '../../node_modules/.cache/node-compile');
