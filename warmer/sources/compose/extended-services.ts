/** `extends`: a service that is another one, changed (compose-spec, "extends"). */
import { dirname, resolve } from 'node:path';
import type { OnProblem, Project, ProjectLoader } from './compose-files.ts';
import { type ComposeNode, entriesOf, entry, merged, textOf } from './compose-node.ts';

/** A service that extends a service that extends a service … */
const DEPTH_MAX = 32;

export interface ExtendContext {
  readonly project: Project;
  readonly loader: ProjectLoader;
  readonly onProblem: OnProblem;
}

/** The service with everything that it extends; what cannot be followed is told, and the rest of it stays. */
export async function extendedService(
  { project, loader, onProblem }: ExtendContext,
  name: string,
  service: ComposeNode,
): Promise<ComposeNode> {
  const chain: ComposeNode[] = [service];
  const seen = new Set([`${service.file} ${name}`]);
  let services = project.services;
  for (let current = service; chain.length <= DEPTH_MAX; ) {
    const extending = entry(current, 'extends');
    const target = textOf(extending) ?? textOf(entry(extending, 'service'));
    if (extending === undefined || target === undefined) return fold(chain);
    const named = textOf(entry(extending, 'file'));
    const file = named === undefined ? undefined : resolve(dirname(current.file), named);
    if (file !== undefined) services = await servicesIn(loader, file, project);
    const next = services.get(target);
    const place = { file: extending.file, line: extending.line, value: target };
    if (next === undefined) onProblem({ ...place, reason: `Service "${target}" that "${name}" extends is not there` });
    else if (seen.has(`${next.file} ${target}`)) onProblem({ ...place, reason: `Service "${name}" extends itself` });
    if (next === undefined || seen.has(`${next.file} ${target}`)) return fold(chain);
    seen.add(`${next.file} ${target}`);
    chain.push(next);
    current = next;
  }
  const reason = `Service "${name}" extends more than ${DEPTH_MAX} others`;
  onProblem({ file: service.file, line: service.line, value: name, reason });
  return fold(chain);
}

async function servicesIn(
  loader: ProjectLoader,
  file: string,
  { variables }: Project,
): Promise<Map<string, ComposeNode>> {
  return new Map(entriesOf(entry(await loader.read(file, variables), 'services')));
}

/** The last is what everything starts from. */
function fold(chain: readonly ComposeNode[]): ComposeNode {
  const [base, ...others] = chain.toReversed();
  if (base === undefined) throw new TypeError('A chain of services is never empty');
  return others.reduce(merged, base);
}
