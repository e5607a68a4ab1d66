/** SIGHUP to a whole node: what the mirror takes over while it runs, and what it says of the rest. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { testImage } from '../support/test-image.ts';

const DEADLINE_MS = 60_000;

async function reloaded(node: NodeProcess, change: (text: string) => string): Promise<void> {
  await writeFile(node.configFile, change(await readFile(node.configFile, 'utf8')));
  process.kill(node.pid(), 'SIGHUP');
}

describe('SIGHUP', () => {
  it(
    'changes whose rights the mirror asks for and which registry a path may name, and leaves its address',
    async () => {
      await using registry = await FakeRegistry.start();
      registry.put('team/app', await testImage());
      await using node = await startNode({ registries: [], mirror: true });
      const status = async (path: string) => (await fetch(`http://${node.mirror}${path}`)).status;
      const inPath = `/v2/${registry.host}/team/app/manifests/latest`;
      expect(await status('/v2/')).toBe(200);
      expect(await status(inPath)).not.toBe(200);

      await reloaded(
        node,
        (text) => `${text}\n[[upstream.registry]]\nhost = "${registry.host}"\nendpoint = "${registry.url}"\n`,
      );
      await eventually(
        () => status(inPath),
        (found) => found === 200,
      );

      await reloaded(node, (text) =>
        text.replace(`listen = "${node.mirror}"`, 'listen = "127.0.0.1:1"\nauthorize = "caller"'),
      );
      await eventually(
        () => status('/v2/'),
        (found) => found === 401,
      );
      expect(await node.log()).toContain('mirror.listen');
    },
    DEADLINE_MS,
  );
});
