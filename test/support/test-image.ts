/** Images for tests: those of the demo's generator, small, and with the binaries that a container needs to run. */
import { readFile } from 'node:fs/promises';
import {
  type GeneratedImage,
  type GenerateOptions,
  generateImage,
  type ImageFile,
} from '../../cli/demo/generated-image.ts';

export interface TestImageOptions extends GenerateOptions {
  /** A static busybox on this machine, put at /bin/busybox with links for these commands. */
  busybox?: { path: string; commands?: readonly string[] };
}

/** An image that differs from every other by its seed; two layers of 64 KiB unless told otherwise. */
export async function testImage(options: TestImageOptions = {}): Promise<GeneratedImage> {
  const { busybox, ...generate } = options;
  if (busybox === undefined) return generateImage(generate);
  const files = [
    ...(generate.files ?? []),
    ...(await busyboxFiles(busybox.path, busybox.commands ?? ['sh', 'sleep', 'cat', 'ls'])),
  ];
  return generateImage({ ...generate, files });
}

async function busyboxFiles(path: string, commands: readonly string[]): Promise<ImageFile[]> {
  const binary = { name: 'bin/busybox', bytes: await readFile(path), mode: 0o755 };
  const links = commands.map((command) => ({ name: `bin/${command}`, bytes: Buffer.alloc(0), linkTo: 'busybox' }));
  return [binary, ...links];
}
