/** Whether the node itself has what it needs. Pure. */
import { formatHostPort } from '../../core/runtime/config-address.ts';
import { formatBytes, resolveSize } from '../../core/runtime/units.ts';
import type { DoctorFacts, Finding } from './facts.ts';

/** One for each peer, reader, blob and connection, with room to spare. */
const OPEN_FILES_MIN = 8_192;
/** Linux's own default; other programs take some. */
const INOTIFY_INSTANCES_MIN = 128;
/** The least that Linux gives by itself on a small machine; kubelet and container runtimes take most of it. */
const INOTIFY_WATCHES_MIN = 8_192;
const INOTIFY_WATCHES_WANTED = 524_288;
/** What the unit of the packages asks for. */
const OPEN_FILES_WANTED = 65_536;
/** Beyond this share connections will soon be refused. */
const OPEN_FILES_FULL = 0.9;
/** With less than this times `store.min_free` there is soon nothing more to cache. */
const FREE_SOON = 1.25;

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

export function checkDisk({ root, config, daemon }: DoctorFacts): Finding {
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
  const { highWatermark } = config.value.store;
  if ('value' in daemon && daemon.value.cacheBytes > daemon.value.capacityBytes * highWatermark) {
    const { cacheBytes, capacityBytes, pinBytes } = daemon.value;
    return {
      check,
      level: 'warning',
      says: `The cache holds ${formatBytes(cacheBytes)} of ${formatBytes(capacityBytes)}, above store.high_watermark; ${formatBytes(pinBytes)} are pinned and not evicted`,
      fix: 'Raise store.capacity, or warm less (target.max_bytes_per_node)',
    };
  }
  if (freeBytes < minFreeBytes * FREE_SOON) {
    const says = `${free}, soon less than store.min_free (${formatBytes(minFreeBytes)})`;
    return { check, level: 'warning', says, fix: 'Free some space, or lower store.capacity' };
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

export function checkLimits({ limits }: DoctorFacts): Finding {
  const check = 'limits';
  if ('reason' in limits) return { check, level: 'unknown', says: limits.reason };
  const { openFiles, openFilesNow, inotifyInstances, inotifyWatches } = limits.value;
  if (openFiles < OPEN_FILES_MIN) {
    return {
      check,
      level: 'warning',
      says: `The daemon may open ${openFiles} files; a busy node wants ${OPEN_FILES_MIN}`,
      fix: `systemctl edit shoal, with [Service] LimitNOFILE=${OPEN_FILES_WANTED}; then: systemctl restart shoal`,
    };
  }
  if (openFilesNow !== undefined && openFilesNow > openFiles * OPEN_FILES_FULL) {
    return {
      check,
      level: 'problem',
      says: `The daemon has ${openFilesNow} of ${openFiles} files open`,
      fix: `systemctl edit shoal, with [Service] LimitNOFILE=${openFiles * 2}; then: systemctl restart shoal`,
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
  if (inotifyWatches < INOTIFY_WATCHES_MIN) {
    return {
      check,
      level: 'warning',
      says: `fs.inotify.max_user_watches is ${inotifyWatches}`,
      fix: `sysctl fs.inotify.max_user_watches=${INOTIFY_WATCHES_WANTED}`,
    };
  }
  const now = openFilesNow === undefined ? '' : `${openFilesNow} of `;
  return { check, level: 'ok', says: `${now}${openFiles} open files, ${inotifyInstances} inotify instances` };
}
