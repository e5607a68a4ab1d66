/** Mounts that would cut the content directory in two. Pure. */

/**
 * Mount points strictly below `root`, from the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)): hard links cannot
 * cross them, bind mounts of the same file system included.
 */
export function mountsBelow(mountinfo: string, root: string): string[] {
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return mountinfo.split('\n').flatMap((line) => {
    const point = withoutEscapes(line.split(' ')[4] ?? '');
    return point.startsWith(prefix) ? [point] : [];
  });
}

function withoutEscapes(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
