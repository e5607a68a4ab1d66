/** `shoal warm`: images on the nodes before the scale-out comes. */
import type { AddCommand } from './program.ts';
import { addWarmGate } from './warm/gate.ts';
import { addWarmPlan } from './warm/plan.ts';
import { addWarmRun } from './warm/run.ts';
import { addWarmServe } from './warm/serve.ts';

export const addWarm: AddCommand = (program, context) => {
  const warm = program.command('warm').description('bring images to the nodes before they are needed');
  for (const add of [addWarmPlan, addWarmRun, addWarmServe, addWarmGate]) add(warm, context);
};
