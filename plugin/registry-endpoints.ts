/** The registries that the operator wrote down, as the registry client wants them. */
import { CodedError, messageOf } from '../core/runtime/errors.ts';
import type { RegistryEndpoint } from '../core/registry/registry-client.ts';
import type { NodeConfig, RegistryConfig } from './config.ts';
import type { NodeSecrets } from './config/node-secrets.ts';

/** A bundle of every authority there is has a quarter of this. */
const CA_BYTES_MAX = 1024 * 1024;

/**
 * Endpoints in the order of the file. `read` gives a file's text.
 * @throws CodedError INVALID_ARGUMENT naming key and file, when certificates cannot be read
 */
export function registryEndpoints(
  config: NodeConfig,
  secrets: NodeSecrets,
  read: (file: string) => Promise<string>,
): Promise<RegistryEndpoint[]> {
  const { registries } = config.upstream;
  return Promise.all(registries.map((registry, index) => endpointOf({ registry, index, secrets, read })));
}

interface EndpointFacts {
  registry: RegistryConfig;
  index: number;
  secrets: NodeSecrets;
  read: (file: string) => Promise<string>;
}

async function endpointOf({ registry, index, secrets, read }: EndpointFacts): Promise<RegistryEndpoint> {
  const { host, endpoint, caFile, username } = registry;
  const password = secrets.registryPasswords.get(host)?.reveal();
  const ca =
    caFile === undefined ? undefined : await readCertificates(`upstream.registry[${index}].ca_file`, caFile, read);
  return {
    host,
    url: endpoint ?? `https://${host}`,
    isConfigured: true,
    ...(ca !== undefined && { ca }),
    ...(username !== undefined && { credential: { kind: 'basic', username, password: password ?? '' } }),
  };
}

async function readCertificates(key: string, file: string, read: (file: string) => Promise<string>): Promise<string> {
  const text = await read(file).catch((error: unknown) => {
    throw new CodedError('INVALID_ARGUMENT', `Reading ${key} "${file}" failed: ${messageOf(error)}`, { cause: error });
  });
  if (text.length <= CA_BYTES_MAX && text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new CodedError(
    'INVALID_ARGUMENT',
    `${key} "${file}" holds no PEM certificates, or more than ${CA_BYTES_MAX} characters`,
  );
}
