/**
 * V8 lets its young generation grow to 16 MiB a half and more while a plan is made, and so the process: it would hold on to garbage
 * rather than look for it. A growth factor of one keeps it as it is; unlike the generation's size, V8 reads it while it runs
 * (v8 `src/heap/heap.cc`, `semi_space_growth_factor`).
 */
import { setFlagsFromString } from 'node:v8';

export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
