/** What failed and may succeed, as tasks of its own: nodes that lack the same images together. Pure. */
import type { PlanNode } from '../plan/plan-input.ts';
import type { Outcomes } from './outcomes.ts';
import type { SeedTask } from './seed-tasks.ts';

export function retryTasks(tasks: readonly SeedTask[], outcomes: Outcomes, silent: ReadonlySet<string>): SeedTask[] {
  const retried: SeedTask[] = [];
  for (const task of tasks) {
    const groups = new Map<string, { nodes: PlanNode[]; references: Set<string> }>();
    for (const node of task.nodes) {
      if (silent.has(node.name)) continue;
      const failed = task.images.filter(({ reference }) => isWorthRetrying(outcomes, node.name, reference));
      if (failed.length === 0) continue;
      const references = failed.map(({ reference }) => reference);
      const key = references.join(' ');
      const group = groups.get(key) ?? { nodes: [], references: new Set(references) };
      groups.set(key, group);
      group.nodes.push(node);
    }
    for (const { nodes, references } of groups.values()) {
      const images = task.images.filter(({ reference }) => references.has(reference));
      retried.push({ ...task, id: retried.length, after: undefined, images, nodes });
    }
  }
  return retried;
}

function isWorthRetrying(outcomes: Outcomes, node: string, reference: string): boolean {
  const outcome = outcomes.get(node, reference);
  return outcome?.state === 'failed' && outcome.isRetriable;
}
