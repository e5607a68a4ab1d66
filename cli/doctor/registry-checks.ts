/** Whether registries take this node's credentials, and whether containerd asks where it should. Pure. */
import { type TomlEntry, parseToml } from '../../core/runtime/config-toml.ts';
import { isLoopback } from '../../core/runtime/config-address.ts';
import { PLUGIN_NAME } from '../install/containerd-facts.ts';
import { type HostsFile, defaultHostsFile } from '../install/hosts-plan.ts';
import { mirrorUrl } from '../install/mirror-url.ts';
import type { DoctorFacts, Finding } from './facts.ts';

const INSTALL_HOSTS = 'shoal install containerd --hosts';

export function checkLogins({ dockerConfig, logins }: DoctorFacts): Finding {
  const check = 'registry credentials';
  if ('reason' in dockerConfig)
    return { check, level: 'problem', says: dockerConfig.reason, fix: 'Mend the file, or set upstream.docker_config' };
  if ('reason' in logins) return { check, level: 'problem', says: logins.reason, fix: 'Mend the file that it names' };
  const refused = logins.value.filter(({ outcome }) => outcome === 'refused');
  const [first] = refused;
  if (first !== undefined) {
    const says = refused.map(({ host, from }) => `${host} refuses the credential of ${from}`).join('; ');
    const isDocker = dockerConfig.value?.file === first.from;
    const fix = isDocker
      ? `docker login ${first.host}, with DOCKER_CONFIG=${first.from.replace(/\/[^/]*$/, '')}`
      : `Write the right password into ${first.from}, then: systemctl reload shoal`;
    return { check, level: 'problem', says, fix };
  }
  const [gone] = logins.value.filter(({ outcome }) => outcome === 'unreachable');
  if (gone !== undefined)
    return {
      check,
      level: 'warning',
      says: `${gone.host} cannot be asked: ${gone.reason}`,
      fix: `curl -v https://${gone.host}/v2/`,
    };
  const accepted = logins.value.filter(({ outcome }) => outcome === 'accepted').map(({ host }) => host);
  if (accepted.length > 0) return { check, level: 'ok', says: `Taken by ${accepted.join(', ')}` };
  return { check, level: 'ok', says: 'None are configured; registries are asked anonymously' };
}

export function checkHosts({ hosts, config, configFile, containerd, containerdFile }: DoctorFacts): Finding {
  const check = 'hosts.toml';
  if ('reason' in config || 'reason' in containerd) return { check, level: 'unknown', says: 'See above' };
  if ('reason' in hosts) return { check, level: 'problem', says: hosts.reason, fix: 'Mend that file' };
  const { files, configured, directory } = hosts.value;
  const there = files.flatMap((file) => (file.text === undefined ? [] : [{ ...file, urls: urlsIn(file) }]));
  const { listen } = config.value.mirror;
  const ours = listen === undefined || listen.port === 0 ? undefined : mirrorUrl(config.value, configFile);
  // Whoever names a port of this machine means the mirror, or what was the mirror once.
  const [stray] = there.flatMap(({ file, urls }) =>
    urls.filter((url) => url !== ours && isOwnPort(url) && !isOfOwnRegistry(file)).map((url) => ({ file, url })),
  );
  if (stray !== undefined) {
    const where = ours === undefined ? 'the mirror is off (mirror.listen)' : `the mirror is at ${ours}`;
    const fix =
      ours === undefined
        ? 'shoal uninstall containerd --hosts, or set mirror.listen'
        : `Remove [host."${stray.url}"] from ${stray.file}, then: ${INSTALL_HOSTS}`;
    return { check, level: 'problem', says: `${stray.file} points to ${stray.url}, and ${where}`, fix };
  }
  const hasPlugin = [containerd.value, ...containerd.value.imports].some(({ facts }) =>
    facts.contentProxies.some(({ name }) => name === PLUGIN_NAME),
  );
  const using = ours === undefined ? [] : there.filter(({ urls }) => urls.includes(ours));
  if (using.length === 0) {
    if (hasPlugin || ours === undefined) return { check, level: 'ok', says: 'None names the mirror, and none has to' };
    return {
      check,
      level: 'warning',
      says: `Neither plugin nor mirror is used: nothing in ${directory} names ${ours}`,
      fix: INSTALL_HOSTS,
    };
  }
  if (configured !== directory) {
    const says = `containerd does not read ${directory}: config_path is not set in ${containerdFile}`;
    return { check, level: 'warning', says, fix: `${INSTALL_HOSTS}, then: systemctl restart containerd` };
  }
  const [around] = there.filter(
    ({ file, urls }) => ours !== undefined && !urls.includes(ours) && file !== defaultHostsFile(directory),
  );
  if (around === undefined) return { check, level: 'ok', says: `${ours} is named in ${using.length} of them` };
  return {
    check,
    level: 'warning',
    says: `${around.file} does not name the mirror, so its registry is asked past it`,
    fix: INSTALL_HOSTS,
  };
}

/** `[host."…"]` and `server`. @throws never: a file that is no TOML names nobody here; containerd says so itself */
function urlsIn({ text, file }: HostsFile): string[] {
  const tree = treeOf(text ?? '', file);
  if (tree?.kind !== 'table') return [];
  const hosts = tree.entries.get('host');
  const server = tree.entries.get('server');
  return [
    ...(hosts?.kind === 'table' ? [...hosts.entries.keys()].map((url) => url.replace(/\/+$/, '')) : []),
    ...(server?.kind === 'string' ? [server.value.replace(/\/+$/, '')] : []),
  ];
}

function treeOf(text: string, file: string): TomlEntry | undefined {
  try {
    return parseToml(text, file);
  } catch {
    return undefined;
  }
}

/** `localhost:5000/hosts.toml`: a registry that is on this machine. */
function isOfOwnRegistry(file: string): boolean {
  const [host = ''] = (file.split('/').at(-2) ?? '').split(/[:_](?=\d+_?$)/);
  return isLoopback(host);
}

function isOwnPort(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && isLoopback(parsed.hostname.replace(/^\[|\]$/g, ''));
}
