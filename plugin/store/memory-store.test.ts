import { createMemoryStore } from './memory-store.ts';
import { storeConformance } from './store-conformance.ts';
import { storeFacade } from './store-facade.ts';

storeConformance('MemoryStore', async () => {
  const store = createMemoryStore();
  return { facade: storeFacade(store), stop: () => store.stop() };
});
