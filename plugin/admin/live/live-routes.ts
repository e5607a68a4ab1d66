/** What the page reads, and the page itself. */
import type { Clock } from '../../../core/runtime/clock.ts';
import type { AdminDeps } from '../admin.ts';
import { sendJson } from '../json-answers.ts';
import { readJsonObject } from '../request-body.ts';
import { type GuardRules, tokenWorth } from '../request-guard.ts';
import type { Route } from '../routes.ts';
import type { LiveView } from './live-view.ts';
import { type PageFile, sendPageFile } from './page-files.ts';
import { PLAN_BYTES_MAX, type PlanBoard } from './plan-board.ts';
import { createReachHandler } from './reach-route.ts';

export interface LiveRoutesDeps extends Pick<AdminDeps, 'members' | 'survey' | 'status'> {
  readonly live: LiveView;
  readonly plans: PlanBoard;
  readonly rules: GuardRules;
  readonly clock: Pick<Clock, 'now'>;
}

export function liveRoutes(deps: LiveRoutesDeps): [string, Route][] {
  const { live, plans, rules, clock } = deps;
  return [
    ['/api/v1/events', get((request, response) => live.watch(request, response))],
    ['/api/v1/fleet', get((_request, response) => live.whole(response))],
    ['/api/v1/reach', get(createReachHandler(deps))],
    [
      '/api/v1/session',
      get(async ({ headers }, response) =>
        sendJson(response, 200, { token: tokenWorth(headers.authorization, rules) }),
      ),
    ],
    [
      '/api/v1/plan',
      {
        ...get(async (_request, response) => sendJson(response, 200, plans.answer())),
        also: {
          method: 'POST',
          isChange: true,
          handle: async (request, response) => {
            plans.keep(await readJsonObject(request, PLAN_BYTES_MAX), clock.now());
            sendJson(response, 200, { kept: true });
          },
        },
      },
    ],
  ];
}

export function pageRoutes(files: readonly PageFile[]): [string, Route][] {
  return files.map((file) => [file.path, get(async (request, response) => sendPageFile(file, request, response))]);
}

function get(handle: Route['handle']): Route {
  return { method: 'GET', isChange: false, handle };
}
