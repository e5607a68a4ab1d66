import type { ScenarioName } from '../options.ts';
import { atOnce, stragglers, tenLayers, waves } from './crowds.ts';
import { liar } from './liar.ts';
import { ownerKilled, registryStopped } from './losses.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS = {
  'at-once': atOnce,
  waves,
  'ten-layers': tenLayers,
  stragglers,
  'owner-killed': ownerKilled,
  'registry-stopped': registryStopped,
  liar,
} satisfies Record<ScenarioName, Scenario>;
