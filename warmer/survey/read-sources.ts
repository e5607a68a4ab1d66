/**
 * Reads the sources once and lets their documents go again: what stays is workloads, events and nodes. Documents are by far the
 * largest part, and nothing after the forecast looks at them.
 */
import { PullSecrets } from '../images/pull-secrets.ts';
import { predictEvents } from '../schedule/predict.ts';
import type { ForecastOptions } from '../schedule/schedule.ts';
import type { SourceDocument } from '../sources/documents.ts';
import { type FindOptions, findImages } from '../sources/find-images.ts';
import { linkTemplates } from '../sources/link-templates.ts';
import type { Source, SourceItem } from '../sources/source.ts';
import { textField } from '../sources/extract/values.ts';
import type { Unresolved } from '../sources/unresolved.ts';
import type { Workload } from '../sources/workload.ts';
import { type ClusterNode, clusterNodeOf } from './cluster-node.ts';
import type { Survey } from './survey.ts';

/** Documents of one run; a cluster of ten thousand nodes has some hundred thousand objects that matter here. */
const DOCUMENTS_MAX = 500_000;
const UNRESOLVED_MAX = 50_000;
/** Neither workloads nor announcements, and many: nothing after their images looks at them. */
const LET_GO_KINDS = new Set(['Secret', 'ConfigMap', 'Service', 'ServiceAccount', 'Node', 'Event', 'Endpoints']);

export interface SurveyOptions {
  readonly forecast: ForecastOptions;
  readonly find: FindOptions;
  readonly signal: AbortSignal;
}

export interface SurveyResult {
  readonly survey: Survey;
  /** Of the same documents, in memory only. */
  readonly secrets: PullSecrets;
}

export async function surveySources(sources: readonly Source[], options: SurveyOptions): Promise<SurveyResult> {
  const read = await readAll(sources, options);
  const { workloads, unresolved } = linkTemplates(read.workloads);
  const forecast = predictEvents({ documents: read.documents, workloads }, options.forecast);
  const told = [...read.unresolved, ...unresolved, ...forecast.unresolved].slice(0, UNRESOLVED_MAX);
  const survey = { workloads, events: forecast.events, unresolved: told, clusterNodes: read.clusterNodes };
  return { survey, secrets: read.secrets };
}

class Reading {
  readonly documents: SourceDocument[] = [];
  readonly workloads: Workload[] = [];
  readonly unresolved: Unresolved[] = [];
  readonly clusterNodes: ClusterNode[] = [];
  readonly secrets = new PullSecrets();
  readonly #find: FindOptions;
  #count = 0;

  constructor(find: FindOptions) {
    this.#find = find;
  }

  take(item: SourceItem): void {
    if (item.kind === 'workload') this.workloads.push(item.workload);
    else if (item.kind === 'unresolved') this.#tell(item.unresolved);
    else this.#takeDocument(item.document);
  }

  #takeDocument(document: SourceDocument): void {
    this.#count += 1;
    if (this.#count > DOCUMENTS_MAX) {
      const { file, document: number } = document;
      const reason = `Not read: the sources have more than ${DOCUMENTS_MAX} documents`;
      if (this.#count === DOCUMENTS_MAX + 1) this.#tell({ file, line: 1, document: number, value: '', reason });
      return;
    }
    const found = findImages(document, this.#find);
    this.workloads.push(...found.workloads);
    for (const unresolved of found.unresolved) this.#tell(unresolved);
    const problem = this.secrets.add(document);
    if (problem !== undefined) this.#tell(problem);
    const node = clusterNodeOf(document);
    if (node !== undefined) this.clusterNodes.push(node);
    if (!LET_GO_KINDS.has(textField(document.value, 'kind') ?? '')) this.documents.push(document);
  }

  #tell(unresolved: Unresolved): void {
    if (this.unresolved.length < UNRESOLVED_MAX) this.unresolved.push(unresolved);
  }
}

async function readAll(sources: readonly Source[], { find, signal }: SurveyOptions): Promise<Reading> {
  const reading = new Reading(find);
  for (const source of sources) {
    for await (const item of source.read({ signal })) reading.take(item);
  }
  signal.throwIfAborted();
  return reading;
}
