/** Whether the node itself has what it needs. Pure. */
import { formatHostPort } from '../../core/runtime/config-address.ts';
import { formatBytes, resolveSize } from '../../core/runtime/units.ts';
import type { DoctorFacts, Finding } from './facts.ts';

/** One for each peer, reader, blob and connection, with room to spare. */
const OPEN_FILES_MIN = 8_192;
/** Linux's own default; other programs take some. */
const INOTIFY_INSTANCES_MIN = 128;

export function checkRoot({ root, config }: DoctorFacts): Finding {
  const check = 'content directory';
  if ('reason' in config) return { check, level: 'unknown', says: 'See above' };
  if ('reason' in root) return { check, level: 'problem', says: root.reason, fix: 'Create it, or set content.root' };
  const { mounts, linkFailure } = root.value;
  const path = config.value.content.root;
  if (mounts.length > 0) {
    return {
      check,
      level: 'problem',
      says: `"${mounts[0]}" is a mount below it, and hard links cannot cross it`,
      fix: `umount ${mounts[0]}`,
    };
  }
  if (linkFailure === undefined) return { check, level: 'ok', says: `${path} takes files and hard links` };
  return {
    check,
    level: 'problem',
    says: `${path} takes no hard links: ${linkFailure}`,
    fix: 'Run as the user of the daemon, on a writable file system with hard links',
  };
}

export function checkDisk({ root, config }: DoctorFacts): Finding {
  const check = 'disk space';
  if ('reason' in root || 'reason' in config) return { check, level: 'unknown', says: 'See above' };
  const { freeBytes, totalBytes } = root.value;
  const { minFreeBytes, capacity } = config.value.store;
  const free = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free`;
  if (freeBytes < minFreeBytes) {
    return {
      check,
      level: 'problem',
      says: `${free}, less than store.min_free (${formatBytes(minFreeBytes)}): nothing more is cached`,
      fix: 'Free some space, or lower store.min_free',
    };
  }
  const wanted = resolveSize(capacity, totalBytes);
  if (wanted + minFreeBytes > totalBytes) {
    return {
      check,
      level: 'warning',
      says: `store.capacity (${formatBytes(wanted)}) and store.min_free do not fit on a disk of ${formatBytes(totalBytes)}`,
      fix: 'Lower store.capacity, for example to "20%"',
    };
  }
  return { check, level: 'ok', says: free };
}

export function checkAdmin({ readiness, config }: DoctorFacts): Finding {
  const check = 'daemon';
  if ('reason' in config) return { check, level: 'unknown', says: 'See above' };
  if ('reason' in readiness)
    return { check, level: 'problem', says: readiness.reason, fix: 'systemctl start shoal; journalctl -u shoal' };
  if (!readiness.value.ready)
    return { check, level: 'problem', says: `Not ready: ${readiness.value.reason}`, fix: 'journalctl -u shoal' };
  return { check, level: 'ok', says: `Ready on ${formatHostPort(config.value.admin.listen)}` };
}

export function checkMesh({ mesh, config }: DoctorFacts): Finding {
  const check = 'mesh';
  if ('reason' in config) return { check, level: 'unknown', says: 'See above' };
  const { enabled, keyFile, insecure, join } = config.value.mesh;
  if (!enabled) return { check, level: 'ok', says: 'mesh.enabled is false: this node works alone' };
  if (keyFile === undefined && !insecure) {
    return {
      check,
      level: 'warning',
      says: 'There is no mesh.key_file, so mesh and peer port stay on loopback and this node works alone',
      fix: 'shoal keygen > /etc/shoal/mesh.key on one node, the same file on all, and mesh.key_file = "/etc/shoal/mesh.key"',
    };
  }
  if ('reason' in mesh) return { check, level: 'unknown', says: mesh.reason };
  const { alive, banned } = mesh.value;
  if (banned.length > 0) {
    const says = `Members sent this node wrong bytes and are not asked any more: ${banned.join(', ')}`;
    return { check, level: 'warning', says, fix: 'Look at the disks of these nodes' };
  }
  if (alive <= 1) {
    const says = join.length === 0 ? 'mesh.join names nobody, so no other node is found' : 'None of mesh.join answers';
    return {
      check,
      level: 'warning',
      says,
      fix: 'Check mesh.join, that UDP and TCP of mesh.bind pass between the nodes, and that all have one key',
    };
  }
  const sealed = keyFile === undefined ? 'not sealed (mesh.insecure)' : 'sealed';
  return { check, level: 'ok', says: `${alive} members alive, ${sealed}` };
}

export function checkDockerConfig({ dockerConfig }: DoctorFacts): Finding {
  const check = 'registry credentials';
  if ('reason' in dockerConfig)
    return { check, level: 'problem', says: dockerConfig.reason, fix: 'Mend the file, or set upstream.docker_config' };
  if (dockerConfig.value === undefined)
    return { check, level: 'ok', says: 'No docker config; registries are asked anonymously unless configured' };
  return { check, level: 'ok', says: `${dockerConfig.value.file} can be read` };
}

export function checkLimits({ limits }: DoctorFacts): Finding {
  const check = 'limits';
  if ('reason' in limits) return { check, level: 'unknown', says: limits.reason };
  const { openFiles, inotifyInstances } = limits.value;
  if (openFiles < OPEN_FILES_MIN) {
    return {
      check,
      level: 'warning',
      says: `Here a process may open ${openFiles} files; a busy node wants ${OPEN_FILES_MIN}`,
      fix: `LimitNOFILE=${OPEN_FILES_MIN} in the unit of the daemon`,
    };
  }
  if (inotifyInstances < INOTIFY_INSTANCES_MIN) {
    return {
      check,
      level: 'warning',
      says: `fs.inotify.max_user_instances is ${inotifyInstances}`,
      fix: `sysctl fs.inotify.max_user_instances=${INOTIFY_INSTANCES_MIN}`,
    };
  }
  return { check, level: 'ok', says: `${openFiles} open files, ${inotifyInstances} inotify instances` };
}
