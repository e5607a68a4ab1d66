/** Where runtimes of this machine reach the mirror. Pure. */
import { formatHostPort } from '../../core/runtime/config-address.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { NodeConfig } from '../../plugin/config.ts';

/** Listeners on every address, and the one by which this machine reaches them. */
const OWN = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/** `http://127.0.0.1:7949`. @throws CodedError FAILED_PRECONDITION when the mirror is off or its port is not fixed */
export function mirrorUrl({ mirror }: Pick<NodeConfig, 'mirror'>, file: string): string {
  const { listen } = mirror;
  if (listen === undefined || listen.port === 0) {
    const said = listen === undefined ? '""' : `"${formatHostPort(listen)}"`;
    throw new CodedError(
      'FAILED_PRECONDITION',
      `mirror.listen in "${file}" is ${said}, so no runtime could find the mirror; set an address and a port`,
    );
  }
  return `http://${formatHostPort({ host: OWN.get(listen.host) ?? listen.host, port: listen.port })}`;
}
