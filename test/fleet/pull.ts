/** One node asked for one image, as `shoal pull` asks, followed to its end. */
import { fieldsOf, numberIn, textIn } from '../../cli/json-fields.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { FleetNode } from './fleet-node.ts';

export interface PullEnd {
  readonly seconds: number;
  /** undefined = it is whole, says the node. */
  readonly failure: string | undefined;
}

export interface PullOptions {
  readonly deadlineMs: number;
  /** Told how many bytes of the image are there. */
  onProgress(bytesPresent: number): void;
}

/** Never throws: what went wrong is in the answer. */
export async function pull(node: FleetNode, ref: string, options: PullOptions): Promise<PullEnd> {
  const startedMs = performance.now();
  const failure = await follow(node, ref, options).catch((error: unknown) => messageOf(error));
  return { seconds: (performance.now() - startedMs) / 1000, failure };
}

/** Node says something every five seconds, so a deadline is noticed soon after. @returns why it failed */
async function follow(node: FleetNode, ref: string, options: PullOptions): Promise<string | undefined> {
  const end = performance.now() + options.deadlineMs;
  const present = new Map<string, number>();
  for await (const line of await node.pull(ref)) {
    const fields = fieldsOf(line);
    if (fields.kind === 'done') return undefined;
    if (fields.kind === 'failed') return textIn(fields, 'message');
    if (fields.kind === 'blob') {
      present.set(textIn(fields, 'digest'), numberIn(fields, 'bytes_present'));
      options.onProgress([...present.values()].reduce((sum, bytes) => sum + bytes, 0));
    }
    if (performance.now() > end) return `Not whole after ${Math.round(options.deadlineMs / 1000)} s`;
  }
  return 'The node stopped answering before the image was whole';
}
