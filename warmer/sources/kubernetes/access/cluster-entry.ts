/** A cluster of a kubeconfig: its address and whom to trust there (client-go `clientcmd/api/v1`). Pure. */
import { resolve, dirname } from 'node:path';
import { type Entry, EntryReader } from './entry-reader.ts';

export interface ClusterEntry {
  readonly server: URL;
  /** PEM. */
  readonly ca: string | undefined;
  /** A file of it, when it is not in the kubeconfig. */
  readonly caFile: string | undefined;
  readonly isInsecure: boolean;
  readonly serverName: string | undefined;
  /** As it is written: exec plugins may ask for it. */
  readonly value: unknown;
}

/** @throws CodedError INVALID_ARGUMENT with file and line */
export function readClusterEntry(entry: Entry): ClusterEntry {
  const reader = new EntryReader(entry);
  const ca = reader.pem('certificate-authority-data');
  const caFile = ca === undefined ? fileAt(entry, reader.text('certificate-authority')) : undefined;
  const isInsecure = reader.flag('insecure-skip-tls-verify');
  if (isInsecure && (ca ?? caFile) !== undefined) {
    throw reader.problem(['insecure-skip-tls-verify'], 'it cannot be true when a certificate authority is given');
  }
  if (reader.text('proxy-url') !== undefined) {
    throw reader.problem(['proxy-url'], 'proxies are not supported; leave it out, or use a tunnel');
  }
  const serverName = reader.text('tls-server-name');
  return { server: serverOf(reader), ca, caFile, isInsecure, serverName, value: entry.value };
}

/** Relative paths are relative to the file that names them. */
export function fileAt(entry: Entry, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(dirname(entry.document.file), path);
}

function serverOf(reader: EntryReader): URL {
  const text = reader.text('server') ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw reader.problem(['server'], 'it is no address such as "https://10.0.0.1:6443"');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw reader.problem(['server'], 'it has a user, a password or a query');
  }
  return url;
}
