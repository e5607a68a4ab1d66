/** The documents of a chart: rendered by helm, or else those of its files that are no templates. */
import { messageOf } from '../../../core/runtime/errors.ts';
import type { SourceItem } from '../source.ts';
import { textDocuments } from '../text-documents.ts';
import { splitDocuments } from '../yaml/split-documents.ts';
import { type ChartFile, filesOfArchive, filesOfFolder } from './chart-files.ts';
import type { ChartRenderer } from './helm.ts';

export interface ChartDeps {
  /** undefined: helm is not installed. */
  readonly helm: ChartRenderer | undefined;
}

export interface Chart {
  readonly path: string;
  readonly kind: 'chart' | 'chart-folder';
}

export interface ChartCall {
  readonly values: readonly string[];
  readonly signal: AbortSignal;
}

/** Files of a chart are told as `chart.tgz!web/templates/deployment.yaml`. */
export async function* chartDocuments({ helm }: ChartDeps, chart: Chart, call: ChartCall): AsyncGenerator<SourceItem> {
  if (helm === undefined) return yield* plainDocuments(chart, call, 'helm is not on the PATH');
  let rendered: string;
  try {
    rendered = await helm.render(chart.path, call);
  } catch (error) {
    call.signal.throwIfAborted();
    return yield* plainDocuments(chart, call, messageOf(error));
  }
  yield* renderedDocuments(rendered, chart.path);
}

/** helm writes before each document which template it comes from; lines are those of that document. */
function* renderedDocuments(text: string, path: string): Generator<SourceItem> {
  for (const part of splitDocuments(text)) {
    const template = /^# Source: (.+)$/m.exec(part.text.slice(0, 1_000))?.[1]?.trim();
    yield* textDocuments(part.text, template === undefined ? path : `${path}!${template}`);
  }
}

async function* plainDocuments(chart: Chart, call: ChartCall, reason: string): AsyncGenerator<SourceItem> {
  const files = chart.kind === 'chart' ? filesOfArchive(chart.path, call) : filesOfFolder(chart.path, call);
  try {
    for await (const file of files) yield* plainFile(file, { chart, reason });
  } catch (error) {
    call.signal.throwIfAborted();
    yield unresolved(chart.path, { value: chart.path, reason: `The chart is not read: ${messageOf(error)}` });
  }
}

function* plainFile(file: ChartFile, { chart, reason }: { chart: Chart; reason: string }): Generator<SourceItem> {
  const place = `${chart.path}!${file.name}`;
  if (file.text === undefined) {
    yield unresolved(place, { value: file.name, reason: `A chart within the chart is not read: ${reason}` });
    return;
  }
  const at = file.text.indexOf('{{');
  if (at < 0) return yield* textDocuments(file.text, place);
  const line = file.text.slice(0, at).split('\n').length;
  yield unresolved(place, { line, value: file.name, reason: `A template is not rendered: ${reason}` });
}

function unresolved(
  file: string,
  { line = 1, value, reason }: { line?: number; value: string; reason: string },
): SourceItem {
  return { kind: 'unresolved', unresolved: { file, line, value, reason } };
}
