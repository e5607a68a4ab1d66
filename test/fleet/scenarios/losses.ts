/** Something that everyone leans on goes away half-way. */
import { ownersOf } from '../../../plugin/providers/rendezvous.ts';
import type { Scenario, Stage } from './scenario.ts';

/** The member that grants the leases of the image's layer. */
export const ownerKilled: Scenario = {
  name: 'owner-killed',
  layers: 1,
  async atHalf(stage) {
    const [owner] = firstOwners(stage);
    if (owner === undefined) return;
    stage.cast(owner, 'killed');
    await stage.kill(owner);
  },
};

function firstOwners({ nodes, layers }: Stage) {
  const [layer] = layers;
  if (layer === undefined) return [];
  const [first] = ownersOf(
    layer,
    nodes.map(({ name }) => ({ name, mode: 'full' as const })),
  );
  return nodes.filter(({ name }) => name === first?.name);
}

/** Half of the layers have a member that holds them from the beginning; what has none when the registry stops may fail. */
export const registryStopped: Scenario = {
  name: 'registry-stopped',
  layers: 10,
  giveUp: '15s',
  async prepare(stage) {
    const [holder] = stage.nodes;
    if (holder === undefined) return;
    await stage.bring(holder, await stage.pushFirstLayers(stage.layers.length >> 1));
  },
  atHalf: ({ registry }) => registry.stop(),
};
