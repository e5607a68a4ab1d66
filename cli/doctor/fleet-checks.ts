/** Whether this node and the others understand each other. Pure. */
import type { DoctorFacts, Finding, ReachFacts } from './facts.ts';

/** Below it is the network's doing; above, times in logs do not fit together and plans come late. Milliseconds. */
const SKEW_WARNED_MS = 2_000;
/** Certificates and the ends of pins are off by it. */
const SKEW_PROBLEM_MS = 60_000;
/** A stranger that has not been heard for so long has been mended, or has gone. */
const STRANGER_RECENT_MS = 10 * 60_000;
/** Named one by one; of more, how many. */
const NAMED_MAX = 4;

export function checkPorts({ reach, mesh, config }: DoctorFacts): Finding {
  const check = 'ports between members';
  if ('reason' in config) return { check, level: 'unknown', says: 'See above' };
  if ('reason' in reach) return { check, level: 'unknown', says: reach.reason };
  const rows = reach.value;
  if (rows.length === 0) {
    const isAlone = !('reason' in mesh) && mesh.value.alive <= 1;
    return { check, level: isAlone ? 'unknown' : 'ok', says: 'There is no other member to try' };
  }
  const closed = rows.flatMap(closedPort);
  const [first] = closed;
  if (first === undefined)
    return { check, level: 'ok', says: `UDP, TCP and the peer port pass to ${membersOf(rows)} and back` };
  const level = first.level;
  return {
    check,
    level,
    says: closed
      .slice(0, NAMED_MAX)
      .map(({ says }) => says)
      .join('; '),
    fix: first.fix,
  };
}

/** The first thing that is closed towards one member, or from it. */
function closedPort(row: ReachFacts): { says: string; fix: string; level: 'problem' | 'warning' }[] {
  const { member, address, meshPort, peerPort } = row;
  const open = (protocol: string, port: number) => `iptables -I INPUT -p ${protocol} --dport ${port} -j ACCEPT`;
  const there = (says: string, protocol: string, port: number, level: 'problem' | 'warning' = 'problem') => [
    { says, level, fix: `On ${member}: ${open(protocol, port)}` },
  ];
  if (row.failure !== undefined) return [{ says: `${member}: ${row.failure}`, level: 'warning', fix: 'shoal members' }];
  if (!row.udp && !row.tcp)
    return there(`${member} answers neither UDP nor TCP on ${address}:${meshPort}`, 'udp', meshPort);
  if (!row.udp) return there(`UDP does not pass to ${member} (${address}:${meshPort}), TCP does`, 'udp', meshPort);
  if (!row.tcp) return there(`TCP does not pass to ${member} (${address}:${meshPort}), UDP does`, 'tcp', meshPort);
  if (!row.peer) {
    const why = row.peerFailure === undefined ? '' : `: ${row.peerFailure}`;
    return there(`The peer port of ${member} (${address}:${peerPort}) does not answer${why}`, 'tcp', peerPort);
  }
  const here = (says: string, protocol: string) => [
    { says, level: 'problem' as const, fix: `On this node: ${open(protocol, meshPort)}` },
  ];
  if (row.backUdp === false) return here(`UDP does not pass from ${member} to this node`, 'udp');
  if (row.backTcp === false) return here(`TCP does not pass from ${member} to this node`, 'tcp');
  return [];
}

export function checkClocks({ reach }: DoctorFacts): Finding {
  const check = 'clocks';
  if ('reason' in reach) return { check, level: 'unknown', says: reach.reason };
  const skews = reach.value.flatMap(({ member, skewMs }) => (skewMs === undefined ? [] : [{ member, skewMs }]));
  if (skews.length === 0) return { check, level: 'ok', says: 'There is no other clock to compare with' };
  const off = skews.filter(({ skewMs }) => Math.abs(skewMs) >= SKEW_WARNED_MS);
  const worst = Math.max(0, ...off.map(({ skewMs }) => Math.abs(skewMs)));
  if (off.length === 0) return { check, level: 'ok', says: `Within ${SKEW_WARNED_MS / 1000} s of ${membersOf(skews)}` };
  const level = worst >= SKEW_PROBLEM_MS ? 'problem' : 'warning';
  // Where most others differ in the same way, it is ours.
  const isOurs =
    off.length > skews.length / 2 && off.length > 1 && new Set(off.map(({ skewMs }) => Math.sign(skewMs))).size === 1;
  const names = listOf(off.map(({ member, skewMs }) => `${member} ${seconds(skewMs)}`));
  const says = isOurs ? `This node's clock is off: ${names}` : `Clocks differ from this node's: ${names}`;
  const where = isOurs ? 'On this node' : `On ${listOf(off.map(({ member }) => member))}`;
  return { check, level, says, fix: `${where}: timedatectl set-ntp true` };
}

export function checkVersions({ mesh, daemon, installedVersion }: DoctorFacts): Finding {
  const check = 'versions';
  if ('reason' in daemon) return { check, level: 'unknown', says: daemon.reason };
  const own = daemon.value.version;
  if (own !== installedVersion) {
    const says = `The daemon that runs is ${own}, the program that is installed ${installedVersion}`;
    return { check, level: 'warning', says, fix: 'systemctl restart shoal' };
  }
  if ('reason' in mesh) return { check, level: 'unknown', says: mesh.reason };
  const far = mesh.value.versions.filter(({ version }) => !interoperates(own, version));
  if (far.length > 0) {
    const names = listOf(far.map(({ member, version }) => `${member} ${version}`));
    return {
      check,
      level: 'problem',
      says: `This node runs ${own}. More than one version apart, which is not tried together: ${names}`,
      fix: 'Upgrade one minor version at a time, all nodes before the next',
    };
  }
  const others = [...new Set(mesh.value.versions.map(({ version }) => version).filter((version) => version !== own))];
  const also = others.length === 0 ? 'as every member' : `others ${others.join(', ')}, which go together`;
  return { check, level: 'ok', says: `${own}, ${also}` };
}

/** The same major version, and minor versions at most one apart; what is no version is not judged. Pure. */
export function interoperates(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => /^v?(\d+)\.(\d+)/.exec(text));
  if (!one || !other) return true;
  return one[1] === other[1] && Math.abs(Number(one[2]) - Number(other[2])) <= 1;
}

export function checkKey({ mesh, config, nowMs }: DoctorFacts): Finding {
  const check = 'mesh key';
  if ('reason' in config) return { check, level: 'unknown', says: 'See above' };
  const { enabled, keyFile } = config.value.mesh;
  if (!enabled || keyFile === undefined) return { check, level: 'ok', says: 'There is none to compare' };
  if ('reason' in mesh) return { check, level: 'unknown', says: mesh.reason };
  const { strangers, joinFailure, joinAnswers, alive, keyFingerprint } = mesh.value;
  const ours = keyFingerprint === undefined ? '' : ` Ours is ${keyFingerprint}; doctor shows it there as well.`;
  const fix = `The same ${keyFile} on all nodes, then on each: systemctl reload shoal`;
  const recent = strangers.filter(({ lastAtMs }) => nowMs - lastAtMs < STRANGER_RECENT_MS);
  if (recent.length > 0) {
    const names = listOf(
      recent.map(({ address, reason }) => `${address} (${reason === 'unencrypted' ? 'no key' : 'another key'})`),
    );
    return {
      check,
      level: 'problem',
      says: `Nodes speak to this one with a key that it does not have: ${names}.${ours}`,
      fix,
    };
  }
  if (alive <= 1 && joinFailure !== undefined && joinAnswers.length > 0) {
    const says = `${listOf(joinAnswers)} of mesh.join takes the connection and gives no answer, as to one with another key.${ours}`;
    return { check, level: 'problem', says, fix };
  }
  return {
    check,
    level: 'ok',
    says: keyFingerprint === undefined ? 'Nobody has another' : `${keyFingerprint}; nobody has another`,
  };
}

function membersOf(rows: readonly unknown[]): string {
  return rows.length === 1 ? '1 member' : `${rows.length} members`;
}

function listOf(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return more > 0 ? `${names.slice(0, NAMED_MAX).join(', ')} and ${more} more` : names.join(', ');
}

function seconds(ms: number): string {
  const rounded = Math.abs(ms) < 10_000 ? (Math.abs(ms) / 1000).toFixed(1) : `${Math.round(Math.abs(ms) / 1000)}`;
  return `${rounded} s ${ms > 0 ? 'ahead' : 'behind'}`;
}
