/** The store's own suite through the socket: every transport, every store. */
import { storeConformance } from '../../plugin/store/store-conformance.ts';
import { startContentNode, TRANSPORTS } from './content-node.ts';
import { socketFacade } from './socket-facade.ts';

for (const transport of TRANSPORTS) {
  for (const kind of ['disk', 'memory'] as const) {
    storeConformance(`The ${kind} store behind ${transport}`, async () => {
      const node = await startContentNode({ transport, kind, cacheBytes: 0 });
      return { facade: socketFacade(node.client), stop: () => node.stop() };
    });
  }
}
