/** What a test does on a booted root: pulls as a kubelet would, and looks whether anything got lost. */
import type { BootedRoot } from './booted-root.ts';

const REGISTRY = '127.0.0.1:5000';
const PULL_DEADLINE_MS = 120_000;
/** A kubelet goes on for ever; a pull that has not come after so many attempts has failed for good. */
const ATTEMPTS_MAX = 10;

/** What cannot be read after so many seconds is lost. */
const READ_ATTEMPTS_MAX = 15;

/** As `push-images.ts` prints it. */
export interface MachineImage {
  readonly name: string;
  /** Digests that containerd has after a pull. */
  readonly content: readonly string[];
}

export interface Machine {
  /** Pulls until it is there, as a kubelet does, and returns the number of attempts. @throws Error after too many */
  pull(name: string): Promise<number>;
  /** Returns once a layer is being fetched. */
  waitForDownload(): Promise<void>;
  /** Of everything that these images consist of, what containerd cannot read within seconds, or reads wrongly. */
  lost(images: readonly MachineImage[]): Promise<string[]>;
  /** `0` while there is none. */
  daemonPid(): Promise<string>;
}

export function machine(root: BootedRoot): Machine {
  return {
    async pull(name) {
      for (let attempt = 1; ; attempt += 1) {
        const reference = `${REGISTRY}/library/${name}:v1`;
        const { exitCode, stdout, stderr } = await root.sh(
          `ctr images pull --plain-http ${reference}`,
          PULL_DEADLINE_MS,
        );
        if (exitCode === 0) return attempt;
        if (attempt === ATTEMPTS_MAX) throw new Error(`${reference} cannot be pulled: ${stdout.slice(-500)}${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    },
    async waitForDownload() {
      const partial = '/var/lib/containerd/io.containerd.content.v1.content/shoal/partial';
      // One look takes longer from outside than a small download does.
      await root.ok(`for look in $(seq 1500); do [ -n "$(ls ${partial})" ] && exit 0; sleep 0.01; done; exit 1`);
    },
    async lost(images) {
      const digests = [...new Set(images.flatMap(({ content }) => content))];
      const script = `for digest in ${digests.join(' ')}; do [ "sha256:$(ctr content get $digest | sha256sum | cut -c1-64)" = $digest ] || echo $digest; done`;
      const unread = async () => (await root.ok(script)).split('\n').filter((line) => line !== '');
      // containerd 1.6 waits before it connects again to a store that was away.
      let left = await unread();
      for (let attempt = 1; left.length > 0 && attempt < READ_ATTEMPTS_MAX; attempt += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        left = await unread();
      }
      return left;
    },
    daemonPid: async () => (await root.ok('systemctl show shoal --property MainPID --value')).trim(),
  };
}
