/** The `[[…registry]]` tables of a configuration: the registries that the operator wrote down. Pure. */
import { absolutePath } from '../runtime/config-path.ts';
import { optional, required, sections } from '../runtime/config-schema.ts';
import { CodedError } from '../runtime/errors.ts';

export const REGISTRIES_MAX = 1024;
const REGISTRY_HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::\d{1,5})?$/;

/** One table for each registry; secrets are named by their files. */
export const registrySettings = sections(
  'registry',
  {
    host: required('host', 'registry.invalid', registryHost),
    /** undefined = https:// and the host. */
    endpoint: optional('endpoint', '', endpointUrl),
    caFile: optional('ca_file', '', absolutePath),
    username: optional('username', '', (name) => name),
    passwordFile: optional('password_file', '', absolutePath),
  },
  { max: REGISTRIES_MAX },
);

/** A registry as references name it: host, with a port when it is not the scheme's own. */
export function registryHost(text: string): string {
  if (!REGISTRY_HOST.test(text)) throw invalid(text, 'a registry host, as "docker.io" or "registry.example:5000"');
  return text.toLowerCase();
}

/** Where a registry is reached, without a trailing slash. Credentials have keys of their own. */
function endpointUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw invalid(text, 'an http:// or https:// address');
  if (url.username !== '' || url.password !== '') {
    throw new CodedError(
      'INVALID_ARGUMENT',
      'Credentials do not belong in an endpoint; use username and password_file',
    );
  }
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'an address without query and fragment');
  return url.href.replace(/\/+$/, '');
}

function invalid(text: string, wanted: string): CodedError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new CodedError('INVALID_ARGUMENT', `"${shown}" is not ${wanted}`);
}
