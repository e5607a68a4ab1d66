/**
 * A node and a containerd that has it as its only content store, started in the order in which a machine starts them.
 *
 * ```ts
 * await using pair = await startPair({ containerd: { version: '2.1', cri: true }, node: { registries: [registry] } });
 * await pair.containerd.pull(reference);
 * ```
 *
 * `told(() => pair, work)` wraps a test: when it fails, both logs go to stderr.
 */
import { join } from 'node:path';
import { socketOf } from '../containerd/containerd-config.ts';
import { type ContainerdOptions, type ContainerdProcess, startContainerd } from '../containerd/containerd-process.ts';
import { type CriImageClient, imageClient } from '../cri/image-client.ts';
import { field } from '../cri/message-fields.ts';
import { eventually } from '../debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import { contentSocketOf } from './node-config.ts';
import { type NodeOptions, type NodeProcess, startNode } from './node-process.ts';

export interface PairOptions {
  containerd: Omit<ContainerdOptions, 'directory' | 'plugin'>;
  /** `callsContainerd: false` is `content.containerd = ""`. */
  node: Omit<NodeOptions, 'directory' | 'containerdSocket'> & { callsContainerd?: boolean };
}

export interface Pair extends AsyncDisposable {
  readonly node: NodeProcess;
  readonly containerd: ContainerdProcess;
  /** CRI of this containerd, when it was asked for. */
  readonly images: CriImageClient;
  /** Ends both and removes everything. */
  stop(): Promise<void>;
}

/** @throws Error with the log of the one that did not start */
export async function startPair(options: PairOptions): Promise<Pair> {
  const directory = await makeTestDirectory('shoal-pair-');
  const [nodeDirectory, containerdDirectory] = [join(directory, 'n'), join(directory, 'c')];
  const { callsContainerd = true, ...nodeOptions } = options.node;
  const containerdSocket = socketOf(containerdDirectory);
  let node: NodeProcess | undefined;
  try {
    node = await startNode({ ...nodeOptions, directory: nodeDirectory, ...(callsContainerd && { containerdSocket }) });
    const plugin = { address: contentSocketOf(nodeDirectory) };
    const containerd = await startContainerd({ ...options.containerd, directory: containerdDirectory, plugin });
    const pair = handleOf({ node, containerd }, directory);
    if (callsContainerd)
      await told(
        () => pair,
        () => untilItReaches(pair.node),
      )().catch(ended(pair));
    return pair;
  } catch (error) {
    if (node !== undefined) process.stderr.write(`The node's log:\n${await node.logEnd()}\n`);
    await node?.stop();
    await removeTestDirectory(directory);
    throw error;
  }
}

/** A handler that stops the pair and throws on. */
function ended(pair: Pair): (error: unknown) => Promise<never> {
  return async (error) => {
    await pair.stop();
    throw error;
  };
}

/** Until then it claims nothing, since it could give nothing back. */
async function untilItReaches(node: NodeProcess): Promise<void> {
  const containerd = async () => field(field(await node.status(), 'content'), 'containerd');
  await eventually(containerd, (state) => state === 'reachable');
}

function handleOf(running: Pick<Pair, 'node' | 'containerd'>, directory: string): Pair {
  const { node, containerd } = running;
  const images = imageClient(containerd.socket);
  const stop = async () => {
    images.close();
    // containerd first: it calls the node until its end.
    await containerd.stop();
    await node.stop();
    await removeTestDirectory(directory);
  };
  return { node, containerd, images, stop, [Symbol.asyncDispose]: stop };
}

/** What a log may take of the output of a failed test. */
const TOLD_LOG_CHARS_MAX = 20_000;

/** Runs `work`; when it fails, shows what node and containerd wrote, and fails as it did. */
export function told(pair: () => Partial<Pair> | undefined, work: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await work();
    } catch (error) {
      const { node, containerd } = pair() ?? {};
      const nodeLog = ((await node?.log()) ?? '').slice(-TOLD_LOG_CHARS_MAX);
      process.stderr.write(`\n--- the node's log\n${nodeLog}\n--- containerd's log\n${await containerd?.log()}\n---\n`);
      throw error;
    }
  };
}

/** Starts a pair for one test alone and ends it; a failure is told with both logs before that. */
export async function withPair(options: PairOptions, work: (pair: Pair) => Promise<void>): Promise<void> {
  await using pair = await startPair(options);
  await told(
    () => pair,
    () => work(pair),
  )();
}
