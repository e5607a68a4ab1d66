/** Events that go nowhere, for tests. */
import type { MeshEvents } from '../events.ts';

const nothing = () => undefined;

export const silentMeshEvents: MeshEvents = {
  dropped: nothing,
  changed: nothing,
  nameConflict: nothing,
  refuted: nothing,
  onlyTcpAnswers: nothing,
  exchangeFailed: nothing,
  joined: nothing,
  joinFailed: nothing,
  sendFailed: nothing,
  started: nothing,
};
