/** `shoal serve`. */
import { CONFIG_FILE } from './config-file.ts';
import type { AddCommand } from './program.ts';

export const addServe: AddCommand = (program, { host }) => {
  program
    .command('serve')
    .description('run the node daemon')
    .option('--config <file>', 'its configuration (TOML)', CONFIG_FILE)
    .action(async (options: { config: string }) => {
      // Loaded here only: no other command waits for the daemon's modules.
      const { serve } = await import('./serving.ts');
      await serve(options.config, host);
    });
};
