/** A user of a kubeconfig: what is shown to the API server (client-go `clientcmd/api/v1`). Pure. */
import { fileAt } from './cluster-entry.ts';
import { type Entry, EntryReader } from './entry-reader.ts';
import { type ExecEntry, readExecEntry } from './exec-entry.ts';

/** A text, or the file that has it. */
export type TextOrFile = { readonly text: string } | { readonly file: string };

export interface UserEntry {
  readonly token: TextOrFile | undefined;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  readonly certificate: TextOrFile | undefined;
  readonly key: TextOrFile | undefined;
  /** In whose name requests are made. */
  readonly impersonation: Readonly<Record<string, string>>;
  /** undefined also when a token or a password makes it needless. */
  readonly exec: ExecEntry | undefined;
}

export const NOBODY: UserEntry = {
  token: undefined,
  basic: undefined,
  certificate: undefined,
  key: undefined,
  impersonation: {},
  exec: undefined,
};

/** @throws CodedError INVALID_ARGUMENT with file and line; no message repeats a secret */
export function readUserEntry(entry: Entry): UserEntry {
  const reader = new EntryReader(entry);
  if (reader.map('auth-provider') !== undefined) {
    throw reader.problem(['auth-provider'], 'Kubernetes gave it up in 1.26; use an exec plugin');
  }
  const [plain, tokenFile] = [reader.text('token'), fileAt(entry, reader.text('tokenFile'))];
  const token = tokenFile !== undefined ? { file: tokenFile } : plain === undefined ? undefined : { text: plain };
  const [username, password] = [reader.text('username'), reader.text('password')];
  if (username !== undefined && token !== undefined) {
    throw reader.problem(['username'], 'a token is given as well; one of them');
  }
  const certificate = pemOf(entry, reader, 'client-certificate');
  const key = pemOf(entry, reader, 'client-key');
  if ((certificate === undefined) !== (key === undefined)) {
    throw reader.problem([certificate === undefined ? 'client-key' : 'client-certificate'], 'it needs the other one');
  }
  const exec = reader.map('exec') === undefined ? undefined : readExecEntry(entry);
  return {
    token,
    basic: username === undefined ? undefined : { username, password: password ?? '' },
    certificate,
    key,
    impersonation: impersonationOf(reader),
    exec: token === undefined && username === undefined ? exec : undefined,
  };
}

/** What stands in the file itself goes before what it names. */
function pemOf(entry: Entry, reader: EntryReader, key: string): TextOrFile | undefined {
  const text = reader.pem(`${key}-data`);
  const file = fileAt(entry, reader.text(key));
  return text !== undefined ? { text } : file === undefined ? undefined : { file };
}

/** kubernetes authentication, "User impersonation". Leaving it out would act with more rights than was meant. */
function impersonationOf(reader: EntryReader): Record<string, string> {
  const [user, uid, groups] = [reader.text('as'), reader.text('as-uid'), reader.texts('as-groups')];
  if (reader.map('as-user-extra') !== undefined) throw reader.problem(['as-user-extra'], 'it is not supported');
  if (groups.length > 1) throw reader.problem(['as-groups'], 'more than one group is not supported');
  if (user === undefined && (uid ?? groups[0]) !== undefined) throw reader.problem(['as'], 'it is missing');
  return {
    ...(user !== undefined && { 'impersonate-user': user }),
    ...(uid !== undefined && { 'impersonate-uid': uid }),
    ...(groups[0] !== undefined && { 'impersonate-group': groups[0] }),
  };
}
