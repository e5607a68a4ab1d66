/**
 * One member has the image whole before all others, and a byte of every piece has turned over on its disk. It was restarted since, so
 * that nothing it remembers gives the damage away: it vouches for what it reads.
 */
import { spoilBlob } from '../on-disk.ts';
import type { Scenario } from './scenario.ts';

/** No piece is smaller, so none is right. */
const SPOIL_EVERY_BYTES = 1024 * 1024;

export const liar: Scenario = {
  name: 'liar',
  layers: 1,
  async prepare({ nodes, layers, ref, bring, cast, untilMeshed }) {
    // Not one of those that the others ask to be let in.
    const node = nodes.at(-1);
    if (node === undefined) return;
    await bring(node, ref);
    await node.stop();
    for (const layer of layers) await spoilBlob(node.contentRoot, layer, SPOIL_EVERY_BYTES);
    await node.start();
    cast(node, 'liar');
    await untilMeshed();
  },
};
