/** The view of a run that fits where it is shown. */
import ora from 'ora';
import { createLiveView, createPlainView, type RunView } from '../../warmer/report/run-view.ts';
import { type Host, isColoured } from '../host.ts';

export function createRunView(host: Host): RunView {
  // Serial consoles and pseudo terminals may tell a width of 0, which ora would count lines with for ever.
  const isLive = host.err.isTTY === true && (host.err.columns ?? 0) > 0;
  if (!isLive) return createPlainView((line) => host.err.write(`${line}\n`));
  const color = isColoured(host, host.err) ? 'cyan' : false;
  const spinner = ora({ text: 'warming', stream: host.err, color, discardStdin: false }).start();
  return createLiveView({
    get text() {
      return spinner.text;
    },
    set text(text: string) {
      spinner.text = text;
    },
    stop: () => void spinner.stop(),
  });
}
