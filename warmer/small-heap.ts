/**
 * Keeps V8 from holding on to garbage while a plan is made: by default the young generation grows to 16 MiB a half and more, and the old
 * one to twice what lives in it. Unlike the sizes themselves, V8 reads these two while it runs (`src/heap/heap.cc`,
 * `semi_space_growth_factor`; `src/heap/memory-controller.cc`, `heap_growing_percent`), so nobody has to give flags to the process.
 */
import { setFlagsFromString } from 'node:v8';

/** For commands that live for one piece of work, and the daemon: a tenth more time for two thirds of the memory. */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=30');
}
