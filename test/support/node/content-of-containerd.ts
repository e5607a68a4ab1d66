/** Reading blobs the way that clients of containerd do. */
import { join } from 'node:path';
import type { ContainerdProcess } from '../containerd/containerd-process.ts';
import { programDirectory } from '../containerd/versions.ts';
import { runCommand } from '../debian/run-command.ts';

/** The digest of what `ctr content get` gives for a digest: the same one, if all is well. @throws Error when it fails */
export async function contentDigest(
  containerd: Pick<ContainerdProcess, 'version' | 'socket'>,
  digest: string,
  namespace: string,
): Promise<string> {
  const script = 'set -o pipefail; "$0" --address "$1" --namespace "$2" content get "$3" | sha256sum';
  const program = join(programDirectory(containerd.version), 'ctr');
  const args = ['-c', script, program, containerd.socket, namespace, digest];
  const { exitCode, stdout, stderr } = await runCommand('bash', args);
  if (exitCode !== 0) throw new Error(`Reading "${digest}" in namespace "${namespace}" failed: ${stderr}`);
  return `sha256:${stdout.split(' ')[0]}`;
}
