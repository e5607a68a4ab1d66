/** Whether containerd and the plugin know each other. Pure. */
import { PLUGIN_NAME } from '../install/containerd-facts.ts';
import type { DoctorFacts, Finding } from './facts.ts';

const INSTALL = 'shoal install containerd';

/** The oldest containerd whose proxy content stores were tried. */
const OLDEST = { major: 1, minor: 6 };

export function checkConfig({ config, configFile, hasConfigFile }: DoctorFacts): Finding {
  const check = 'configuration';
  if ('reason' in config) return { check, level: 'problem', says: config.reason, fix: `Mend ${configFile}` };
  if (!hasConfigFile) {
    return {
      check,
      level: 'warning',
      says: `There is no ${configFile}; "shoal serve" needs one, an empty one will do`,
      fix: INSTALL,
    };
  }
  return { check, level: 'ok', says: `${configFile} is valid` };
}

export function checkVersion({ containerdVersion }: DoctorFacts): Finding {
  const check = 'containerd version';
  if ('reason' in containerdVersion) return { check, level: 'unknown', says: containerdVersion.reason };
  const { major, minor, text } = containerdVersion.value;
  const isOldEnough = major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
  if (isOldEnough) return { check, level: 'ok', says: `containerd ${text}` };
  return {
    check,
    level: 'problem',
    says: `containerd ${text} is older than 1.6`,
    fix: 'Upgrade containerd to 1.6 or later',
  };
}

export function checkPlugin({ containerd, containerdFile, config }: DoctorFacts): Finding {
  const check = 'content store';
  if ('reason' in containerd)
    return { check, level: 'problem', says: containerd.reason, fix: `Mend ${containerdFile}` };
  const { facts } = containerd.value;
  const others = facts.contentProxies.filter(({ name }) => name !== PLUGIN_NAME);
  const ours = facts.contentProxies.find(({ name }) => name === PLUGIN_NAME);
  if (others.length > 0 && ours !== undefined) {
    const names = others.map(({ name }) => `proxy_plugins.${name}`).join(', ');
    return {
      check,
      level: 'problem',
      says: `Two content stores are configured: ours and ${names}`,
      fix: `Remove ${names} from ${containerdFile}`,
    };
  }
  if (ours === undefined) {
    return { check, level: 'warning', says: `${containerdFile} does not name the plugin`, fix: INSTALL };
  }
  if (!facts.isBuiltInDisabled) {
    return {
      check,
      level: 'problem',
      says: 'Two content stores are active: the built-in one is not disabled',
      fix: INSTALL,
    };
  }
  const socket = 'value' in config ? config.value.content.socket : undefined;
  if (socket !== undefined && socket !== ours.address) {
    return {
      check,
      level: 'problem',
      says: `containerd looks for the plugin at "${ours.address}", content.socket is "${socket}"`,
      fix: INSTALL,
    };
  }
  return { check, level: 'ok', says: 'The plugin is the only content store' };
}

export function checkSocket({ isPluginServed, config }: DoctorFacts): Finding {
  const check = 'plugin socket';
  if ('reason' in config) return { check, level: 'unknown', says: 'See above' };
  const { socket } = config.value.content;
  if (socket === undefined) return { check, level: 'unknown', says: 'The plugin is off' };
  if (isPluginServed) return { check, level: 'ok', says: `${socket} answers` };
  return { check, level: 'problem', says: `Nobody answers on ${socket}`, fix: 'systemctl start shoal' };
}

export function checkSharing({ containerd, containerdFile }: DoctorFacts): Finding {
  const check = 'content sharing';
  if ('reason' in containerd) return { check, level: 'unknown', says: containerd.reason };
  const { facts, imports } = containerd.value;
  const isolated = [{ file: containerdFile, facts }, ...imports].find(
    (entry) => entry.facts.sharingPolicy === 'isolated',
  );
  if (isolated === undefined)
    return { check, level: 'ok', says: 'Blobs may be shared between namespaces, so claims work' };
  return {
    check,
    level: 'warning',
    says: `content_sharing_policy is "isolated" in ${isolated.file}: containerd fetches every blob itself`,
    fix: 'Set content_sharing_policy = "shared" and restart containerd, if its namespaces may share blobs',
  };
}

export function checkContainerdSocket({ config, containerd, configFile, containerdAnswers }: DoctorFacts): Finding {
  const check = 'containerd socket';
  if ('reason' in config || 'reason' in containerd) return { check, level: 'unknown', says: 'See above' };
  const ours = config.value.content.containerd;
  const theirs = containerd.value.facts.address;
  if (ours === undefined)
    return { check, level: 'warning', says: 'content.containerd is "": only blobs on this disk are claimed' };
  if (containerdAnswers !== undefined && 'value' in containerdAnswers)
    return { check, level: 'ok', says: `${ours} answers` };
  if (ours === theirs) {
    const says = `Nobody answers as containerd on ${ours}: ${containerdAnswers?.reason ?? 'not asked'}`;
    return { check, level: 'problem', says, fix: 'systemctl start containerd' };
  }
  return {
    check,
    level: 'problem',
    says: `content.containerd is "${ours}", containerd listens on "${theirs}"`,
    fix: `Set content.containerd = "${theirs}" in ${configFile}, then: systemctl restart shoal`,
  };
}
