/** `shoal doctor`: what is wrong on this node, in plain words, and what to do. */
import { CONFIG_FILE } from './config-file.ts';
import type { DoctorFacts, Finding, Level } from './doctor/facts.ts';
import { type DoctorOptions, gatherDoctorFacts } from './doctor/gather.ts';
import { checkAdmin, checkDisk, checkLimits, checkMesh, checkRoot } from './doctor/node-checks.ts';
import { checkClocks, checkKey, checkPorts, checkVersions } from './doctor/fleet-checks.ts';
import { checkHosts, checkLogins } from './doctor/registry-checks.ts';
import {
  checkConfig,
  checkContainerdSocket,
  checkPlugin,
  checkSharing,
  checkSocket,
  checkVersion,
} from './doctor/plugin-checks.ts';
import { EXIT } from './exit-codes.ts';
import { CONTAINERD_CONFIG } from './install/containerd-facts.ts';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';

/** In the order in which one would look. */
const CHECKS: readonly ((facts: DoctorFacts) => Finding)[] = [
  checkConfig,
  checkVersion,
  checkPlugin,
  checkSocket,
  checkContainerdSocket,
  checkSharing,
  checkAdmin,
  checkMesh,
  checkKey,
  checkPorts,
  checkClocks,
  checkVersions,
  checkRoot,
  checkDisk,
  checkLogins,
  checkHosts,
  checkLimits,
];

const SIGN = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM', unknown: '?      ' } as const satisfies Record<
  Level,
  string
>;

export const addDoctor: AddCommand = (program, { host, finish }) => {
  program
    .command('doctor')
    .description('say what is wrong on this node, and what to do')
    .option('--config <file>', 'our configuration', CONFIG_FILE)
    .option('--containerd-config <file>', "containerd's configuration", CONTAINERD_CONFIG)
    .option('--json', 'print one JSON document')
    .action(async (options: DoctorOptions & { json?: true }) => {
      const findings = diagnose(await gatherDoctorFacts(options, host));
      const problems = findings.filter(({ level }) => level === 'problem').length;
      if (options.json) printJson(host, { healthy: problems === 0, findings });
      else host.out.write(findings.map(findingText).join(''));
      finish(problems === 0 ? EXIT.done : EXIT.failed);
    });
};

/** Every check's finding. Pure. */
export function diagnose(facts: DoctorFacts): Finding[] {
  return CHECKS.map((check) => check(facts));
}

function findingText({ check, level, says, fix }: Finding): string {
  const advice = fix === undefined ? '' : `         ${' '.repeat(21)} -> ${fix}\n`;
  return `${SIGN[level]}  ${check.padEnd(21)}  ${says}\n${advice}`;
}
