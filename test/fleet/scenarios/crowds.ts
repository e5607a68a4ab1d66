/** Many nodes want the same, and nothing goes wrong. */
import type { Scenario } from './scenario.ts';

const WAVES = 4;
const WAVE_EVERY_MS = 3_000;
const STRAGGLERS_SHARE = 0.1;

export const atOnce: Scenario = { name: 'at-once', layers: 1 };

/** A quarter of the fleet every three seconds. */
export const waves: Scenario = {
  name: 'waves',
  layers: 1,
  startsAfterMs: (index, count) => Math.floor((index * WAVES) / count) * WAVE_EVERY_MS,
};

export const tenLayers: Scenario = { name: 'ten-layers', layers: 10 };

export const stragglers: Scenario = {
  name: 'stragglers',
  layers: 1,
  stragglers: (count) => Math.max(1, Math.round(count * STRAGGLERS_SHARE)),
};
