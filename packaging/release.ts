/** What one run of `npm run package` makes, and of what. */

/** As Debian and RPM call them, Node, and qemu. */
export interface Architecture {
  readonly deb: 'amd64' | 'arm64';
  readonly rpm: 'x86_64' | 'aarch64';
  readonly node: 'x64' | 'arm64';
}

export const ARCHITECTURES: readonly Architecture[] = [
  { deb: 'amd64', rpm: 'x86_64', node: 'x64' },
  { deb: 'arm64', rpm: 'aarch64', node: 'arm64' },
];

export interface Release {
  /** Of the program: `0.1.0`. */
  readonly version: string;
  /** Of the packaging, from 1. */
  readonly revision: number;
  /** Every time in the packages; the same commit gives the same bytes. */
  readonly epochSeconds: number;
  /** `Name <address>`. */
  readonly maintainer: string;
  /** Larger packages, made in a quarter of the time. */
  readonly isFast: boolean;
}

export const SUMMARY = "image distribution for container fleets, as containerd's content store";

/** Paragraphs, each of one line. */
export const DESCRIPTION = [
  "Shoal brings each container image once to a fleet. A node daemon is containerd's content store and a pull-through mirror for other " +
    'runtimes: what one node has, or is getting, the others take from it rather than from the registry. A warmer brings images to the nodes ' +
    'before a scale-out asks for them.',
  'Installing the package changes no runtime\'s configuration; "shoal install containerd" does.',
] as const;

/** Both formats want short lines in a description. */
const LINE_CHARS_MAX = 75;

/** The lines of one paragraph. */
export function wrapped(paragraph: string): string[] {
  const lines = [''];
  for (const word of paragraph.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > LINE_CHARS_MAX) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
