/**
 * What kubeconfig files say (kubernetes client-go `tools/clientcmd`): several are merged, and whoever says something first is
 * believed. Only what the chosen context uses is read closely. Pure.
 */
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { SourceDocument } from '../../documents.ts';
import { field, listField, textField } from '../../extract/values.ts';
import { textDocuments } from '../../text-documents.ts';
import { type Entry, EntryReader } from './entry-reader.ts';

export interface ChosenContext {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: Entry;
  /** undefined: nobody is asked who we are. */
  readonly user: Entry | undefined;
}

/** The document of a file. @throws CodedError INVALID_ARGUMENT with file and line */
export function readKubeconfig(text: string, file: string): SourceDocument {
  for (const item of textDocuments(text, file)) {
    if (item.kind === 'document') return item.document;
    const { line, reason } = item.unresolved;
    throw new CodedError('INVALID_ARGUMENT', `${file}:${line}: ${reason}`);
  }
  throw new CodedError('INVALID_ARGUMENT', `${file}:1: The kubeconfig is empty`);
}

/**
 * The context of a name, or the current one.
 * @throws CodedError INVALID_ARGUMENT when it is not there or names what is not there
 */
export function chooseContext(documents: readonly SourceDocument[], wanted: string | undefined): ChosenContext {
  const name = wanted ?? documents.map(({ value }) => textField(value, 'current-context')).find(Boolean);
  const files = documents.map(({ file }) => file).join(', ');
  if (name === undefined) {
    throw new CodedError('INVALID_ARGUMENT', `${files}: there is no current-context, and no context is named`);
  }
  const context = entryOf(documents, 'contexts', 'context', name);
  if (context === undefined) throw new CodedError('INVALID_ARGUMENT', `${files}: there is no context "${name}"`);
  const reader = new EntryReader(context);
  const [clusterName, userName] = [reader.text('cluster'), reader.text('user')];
  const cluster = clusterName === undefined ? undefined : entryOf(documents, 'clusters', 'cluster', clusterName);
  if (cluster === undefined) throw reader.problem(['cluster'], `there is no cluster "${clusterName ?? ''}"`);
  const user = userName === undefined ? undefined : entryOf(documents, 'users', 'user', userName);
  if (userName !== undefined && user === undefined) throw reader.problem(['user'], `there is no user "${userName}"`);
  return { name, namespace: reader.text('namespace') ?? 'default', cluster, user };
}

function entryOf(documents: readonly SourceDocument[], list: string, key: string, name: string): Entry | undefined {
  for (const document of documents) {
    const entries = listField(document.value, list);
    const index = entries.findIndex((entry) => textField(entry, 'name') === name);
    if (index >= 0) return { document, path: [list, index, key], value: field(entries[index], key) };
  }
  return undefined;
}
