/**
 * The plan as things to do: waves in the order of their urgency, and at last the pins of what is there already. Pure.
 */
import type { ResolvedImage } from '../images/images.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlanNode } from '../plan/plan-input.ts';

export interface SeedTask {
  readonly id: number;
  /** To be ended before this one begins. */
  readonly after: number | undefined;
  /** `wave`: bytes move. `keep`: what is there already is proven and pinned. */
  readonly kind: 'wave' | 'keep';
  /** 1-based; which group of images, which of its waves. */
  readonly group: number;
  readonly wave: number;
  readonly waveCount: number;
  readonly images: readonly ResolvedImage[];
  readonly nodes: readonly PlanNode[];
  readonly dueMs: number | undefined;
}

export interface TaskInput {
  readonly plan: Plan;
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly nodes: readonly PlanNode[];
  /** Tried last, so that nobody waits for them. */
  readonly silent: ReadonlySet<string>;
}

export function seedTasks(input: TaskInput): SeedTask[] {
  const waves = waveTasks(input);
  return [...waves, ...keepTasks(input, waves)];
}

function waveTasks({ plan, images, nodes, silent }: TaskInput): SeedTask[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const tasks: SeedTask[] = [];
  for (const [index, group] of plan.groups.entries()) {
    const resolved = group.images.flatMap((reference) => images.get(reference) ?? []);
    const waves = silentLast(group.waves, silent);
    if (resolved.length === 0) continue;
    let after: number | undefined;
    for (const [wave, names] of waves.entries()) {
      const id = tasks.length;
      const place = { group: index + 1, wave: wave + 1, waveCount: waves.length, dueMs: group.dueMs };
      const members = names.flatMap((name) => byName.get(name) ?? []);
      tasks.push({ id, after, kind: 'wave', images: resolved, nodes: members, ...place });
      after = id;
    }
  }
  return tasks;
}

function silentLast(waves: readonly (readonly string[])[], silent: ReadonlySet<string>): string[][] {
  const talking = waves.map((wave) => wave.filter((name) => !silent.has(name)));
  const last = waves.flat().filter((name) => silent.has(name));
  return [...talking, last].filter((wave) => wave.length > 0);
}

/** Nodes that have the same images already, together. */
function keepTasks({ plan, images, nodes }: TaskInput, waves: readonly SeedTask[]): SeedTask[] {
  const moving = new Map<string, Set<string>>();
  for (const { nodes: members, images: moved } of waves) {
    for (const { name } of members) {
      const references = moving.get(name) ?? new Set();
      moving.set(name, references);
      for (const { reference } of moved) references.add(reference);
    }
  }
  const dueOf = new Map(plan.images.map(({ reference, dueMs }) => [reference, dueMs]));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const groups = new Map<string, { references: readonly string[]; nodes: PlanNode[] }>();
  const numbers = new Map(plan.images.map(({ reference }, number) => [reference, number]));
  for (const { name, images: all } of plan.nodes) {
    const node = byName.get(name);
    const references = all.filter((reference) => !moving.get(name)?.has(reference) && images.has(reference));
    if (node === undefined || references.length === 0) continue;
    const key = references.map((reference) => numbers.get(reference)).join(' ');
    const group = groups.get(key) ?? { references, nodes: [] };
    groups.set(key, group);
    group.nodes.push(node);
  }
  return [...groups.values()].map(({ references, nodes: members }, index) => ({
    id: waves.length + index,
    after: undefined,
    kind: 'keep',
    group: index + 1,
    wave: 1,
    waveCount: 1,
    images: references.flatMap((reference) => images.get(reference) ?? []),
    nodes: members,
    dueMs: latest(references.map((reference) => dueOf.get(reference))),
  }));
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  let last: number | undefined;
  for (const time of times) if (time !== undefined && (last === undefined || time > last)) last = time;
  return last;
}
