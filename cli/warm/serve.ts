/** `shoal warm serve`. */
import type { AddCommand } from '../program.ts';
import { type WarmOptions, withConfig } from './warm-options.ts';

export const addWarmServe: AddCommand = (warm, { host }) => {
  withConfig(warm.command('serve').description('warm on schedule and before events, until SIGTERM')).action(
    async (options: WarmOptions) => {
      // Loaded here only: no other command waits for the daemon's modules.
      const { serveWarmer } = await import('./serving.ts');
      await serveWarmer(options, host);
    },
  );
};
