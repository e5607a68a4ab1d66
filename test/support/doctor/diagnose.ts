/** `shoal doctor --json` on a real configuration, perhaps in another namespace. */
import { resolve } from 'node:path';
import { runCommand } from '../debian/run-command.ts';

const PROGRAM = resolve(import.meta.dirname, '../../../cli/main.ts');
const DEADLINE_MS = 60_000;

export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly says: string;
  readonly fix?: string;
}

export interface Diagnosis {
  readonly exitCode: number;
  readonly healthy: boolean;
  /** By their check. */
  readonly findings: ReadonlyMap<string, Finding>;
  of(check: string): Finding;
}

export interface DiagnoseOptions {
  readonly config: string;
  readonly containerdConfig?: string;
  /** A command that runs what follows it. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const containerd = options.containerdConfig ?? `${options.config}.no-containerd`;
  const args = ['doctor', '--json', '--config', options.config, '--containerd-config', containerd];
  const [program = '', ...rest] = [...(options.within ?? []), process.execPath, PROGRAM, ...args];
  const env = { NODE_OPTIONS: '', NO_COLOR: '1', ...options.env };
  const { exitCode, stdout, stderr } = await runCommand(program, rest, { env, deadlineMs: DEADLINE_MS });
  if (!stdout.startsWith('{')) throw new Error(`doctor ended with ${exitCode} and printed no JSON: ${stderr}`);
  const { healthy, findings }: { healthy: boolean; findings: Finding[] } = JSON.parse(stdout);
  const byCheck = new Map(findings.map((finding) => [finding.check, finding]));
  const of = (check: string) => {
    const found = byCheck.get(check);
    if (found === undefined) throw new Error(`doctor has no check "${check}"`);
    return found;
  };
  return { exitCode, healthy, findings: byCheck, of };
}
