/**
 * The Grafana dashboard, row by row: `node packaging/monitoring/dashboard.ts` writes `dashboard.json`. A panel is a title, what is asked,
 * and a unit; the rest is the same for all.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const DASHBOARD_FILE = join(import.meta.dirname, 'dashboard.json');

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: 'timeseries' | 'stat';
  /** Grafana's own unit ids. */
  readonly unit: string;
  readonly queries: readonly Query[];
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const NODES = 'instance=~"$instance"';

function graph(title: string, unit: string, description: string, ...queries: Query[]): Panel {
  return { title, unit, description, queries, kind: 'timeseries' };
}

function stat(title: string, unit: string, description: string, expr: string): Panel {
  return { title, unit, description, queries: [{ expr, legend: '' }], kind: 'stat' };
}

function rate(metric: string, by: string, more = ''): string {
  return `sum by (${by}) (rate(${metric}{${NODES}${more}}[$__rate_interval]))`;
}

function quantile(share: number, metric: string): string {
  return `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{${NODES}}[$__rate_interval])))`;
}

const RECEIVED = `sum(increase(shoal_peer_bytes_total{${NODES}, direction="received"}[$__range]))`;
const UPSTREAM = `sum(increase(shoal_upstream_bytes_total{${NODES}}[$__range]))`;

const ROWS: readonly Row[] = [
  {
    title: 'The fleet',
    panels: [
      stat('Nodes alive', 'none', 'The largest view of any node', `max(shoal_mesh_members{${NODES}, state="alive"})`),
      stat(
        'From nodes',
        'percentunit',
        'Of the bytes received, the share that came from other nodes',
        `${RECEIVED} / (${RECEIVED} + ${UPSTREAM})`,
      ),
      stat('From registries', 'bytes', 'What left the registries in the time shown', UPSTREAM),
      stat('Downloads', 'none', 'Running now', `sum(shoal_flights{${NODES}})`),
      stat(
        'Banned',
        'none',
        'Members banned for wrong bytes in the time shown',
        `sum(increase(shoal_bans_total{${NODES}}[$__range]))`,
      ),
      stat(
        'Claims given back',
        'none',
        'Promises to containerd that could not be met',
        `sum(increase(shoal_claims_given_back_total{${NODES}}[$__range]))`,
      ),
    ],
  },
  {
    title: 'Bytes',
    panels: [
      graph(
        'Where bytes come from',
        'Bps',
        'Received by nodes, from each other and from registries',
        { expr: rate('shoal_peer_bytes_total', 'direction', ', direction="received"'), legend: 'other nodes' },
        { expr: rate('shoal_upstream_bytes_total', 'registry'), legend: '{{registry}}' },
      ),
      graph(
        'Where bytes go',
        'Bps',
        "Given to other nodes, to the mirror's callers and to readers of the content store",
        { expr: rate('shoal_peer_bytes_total', 'direction', ', direction="sent"'), legend: 'other nodes' },
        { expr: `sum(rate(shoal_mirror_bytes_total{${NODES}}[$__rate_interval]))`, legend: 'mirror' },
        { expr: `sum(rate(shoal_read_bytes_total{${NODES}}[$__rate_interval]))`, legend: 'readers' },
      ),
      graph('Busiest nodes', 'Bps', 'Those that receive most', {
        expr: `topk(10, sum by (instance) (rate(shoal_peer_bytes_total{${NODES}, direction="received"}[$__rate_interval])))`,
        legend: '{{instance}}',
      }),
    ],
  },
  {
    title: 'Registries',
    panels: [
      graph('Requests', 'reqps', 'By how they were answered; 0 = no answer', {
        expr: rate('shoal_upstream_requests_total', 'registry, status'),
        legend: '{{registry}} {{status}}',
      }),
      graph('Requests by kind', 'reqps', 'What was asked for', {
        expr: rate('shoal_upstream_requests_total', 'kind'),
        legend: '{{kind}}',
      }),
      graph(
        'Leases returned',
        'cps',
        'Pieces that a registry did not give to the node that had the right to fetch them',
        { expr: rate('shoal_leases_returned_total', 'reason'), legend: '{{reason}}' },
      ),
    ],
  },
  {
    title: 'Reading',
    panels: [
      graph(
        'Seconds until first bytes',
        's',
        'Of reads that had to wait',
        { expr: quantile(0.5, 'shoal_read_seconds'), legend: 'half' },
        { expr: quantile(0.99, 'shoal_read_seconds'), legend: '99 of 100' },
      ),
      graph(
        'Seconds of a download',
        's',
        'From its start until it was whole and proven',
        { expr: quantile(0.5, 'shoal_fetch_seconds'), legend: 'half' },
        { expr: quantile(0.99, 'shoal_fetch_seconds'), legend: '99 of 100' },
      ),
      graph('Reads', 'reqps', 'From the disk, or from a running download', {
        expr: rate('shoal_reads_total', 'source'),
        legend: '{{source}}',
      }),
      graph('Claims', 'reqps', 'What containerd was told about layers that are not here yet', {
        expr: rate('shoal_claims_total', 'answer'),
        legend: '{{answer}}',
      }),
      graph('Mirror', 'reqps', 'By what was asked for and how it was answered', {
        expr: rate('shoal_mirror_requests_total', 'kind, status'),
        legend: '{{kind}} {{status}}',
      }),
      graph('Stale tags', 'cps', 'Tags served by what they last meant, while their registry was away', {
        expr: rate('shoal_mirror_stale_tags_total', 'instance'),
        legend: '{{instance}}',
      }),
    ],
  },
  {
    title: 'Swarms',
    panels: [
      graph('Swarms', 'none', 'Blobs that nodes download together', {
        expr: `sum by (role) (shoal_swarms{${NODES}})`,
        legend: '{{role}}',
      }),
      graph('Pieces asked for', 'cps', 'Of peers and of the source, by how that ended', {
        expr: rate('shoal_piece_transfers_total', 'from, end'),
        legend: '{{from}} {{end}}',
      }),
      graph('Pieces kept', 'cps', 'What became of pieces that downloads took in', {
        expr: rate('shoal_pieces_total', 'source, result'),
        legend: '{{source}} {{result}}',
      }),
      graph(
        'Failed transfers',
        'cps',
        'Between nodes',
        { expr: rate('shoal_peer_failures_total', 'failure'), legend: '{{failure}}' },
        { expr: `sum(rate(shoal_uploads_refused_total{${NODES}}[$__rate_interval]))`, legend: 'refused: too many' },
      ),
      graph('Look-ups', 'reqps', 'Of who has a blob', {
        expr: rate('shoal_look_ups_total', 'result'),
        legend: '{{result}}',
      }),
      graph('Refused at the peer port', 'cps', 'Connections and requests', {
        expr: rate('shoal_peer_refusals_total', 'reason'),
        legend: '{{reason}}',
      }),
    ],
  },
  {
    title: 'Warming',
    panels: [
      graph('Runs of the warmer', 'none', 'In the last hour, by how they ended; the warmer has an address of its own', {
        expr: 'sum by (result) (increase(shoal_warm_runs_total[1h]))',
        legend: '{{result}}',
      }),
      graph('Warm before the event', 's', 'Nine of ten events had at least so long', {
        expr: 'histogram_quantile(0.1, sum by (le, kind) (increase(shoal_warm_event_lead_seconds_bucket[6h])))',
        legend: '{{kind}}',
      }),
      graph('Seeded', 'Bps', 'Brought to nodes before anybody asked', {
        expr: rate('shoal_seed_bytes_total', 'instance'),
        legend: '{{instance}}',
      }),
    ],
  },
  {
    title: 'The mesh',
    panels: [
      graph('Members', 'none', 'The largest view of any node, by state', {
        expr: `max by (state) (shoal_mesh_members{${NODES}})`,
        legend: '{{state}}',
      }),
      graph('Nodes that doubt their health', 'none', '0 is healthy, 7 the worst', {
        expr: `topk(10, shoal_mesh_health_score{${NODES}} > 0)`,
        legend: '{{instance}}',
      }),
      graph('Dropped messages', 'cps', 'By why', {
        expr: rate('shoal_mesh_dropped_total', 'reason'),
        legend: '{{reason}}',
      }),
    ],
  },
  {
    title: 'Machines',
    panels: [
      graph('Store', 'bytes', 'Bytes on disk by what keeps them; a blob with several holds counts in each', {
        expr: `sum by (hold) (shoal_store_bytes{${NODES}})`,
        legend: '{{hold}}',
      }),
      graph('Evicted', 'Bps', 'By the watermark', {
        expr: rate('shoal_evicted_bytes_total', 'instance'),
        legend: '{{instance}}',
      }),
      graph('Memory', 'bytes', 'The largest', {
        expr: `topk(10, process_resident_memory_bytes{${NODES}})`,
        legend: '{{instance}}',
      }),
      graph('Processor', 'none', 'Cores, the busiest nodes', {
        expr: `topk(10, rate(process_cpu_seconds_total{${NODES}}[$__rate_interval]))`,
        legend: '{{instance}}',
      }),
      graph('Event loop', 's', 'How late the slowest of a hundred turns was', {
        expr: `topk(10, nodejs_eventloop_lag_p99_seconds{${NODES}})`,
        legend: '{{instance}}',
      }),
      graph('Open files', 'none', 'Against what is allowed', {
        expr: `topk(10, process_open_fds{${NODES}} / process_max_fds{${NODES}})`,
        legend: '{{instance}}',
      }),
    ],
  },
];

const WIDTH = 24;
const STAT_HEIGHT = 4;
const GRAPH_HEIGHT = 8;
// Grafana's own variable.
// biome-ignore lint/suspicious/noTemplateCurlyInString: not ours to fill in
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard as Grafana 10 and newer read it. */
export function dashboard(): object {
  return {
    title: 'Shoal',
    uid: 'shoal-fleet',
    tags: ['shoal'],
    editable: true,
    refresh: '30s',
    schemaVersion: 38,
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Source', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          label: 'Node',
          type: 'query',
          datasource: DATASOURCE,
          query: { query: 'label_values(shoal_flights, instance)', refId: 'instance' },
          includeAll: true,
          multi: true,
          allValue: '.*',
          refresh: 2,
          sort: 1,
        },
      ],
    },
    panels: placed(),
  };
}

/** Every query, for whoever checks that its metrics exist. */
export function queries(): string[] {
  return ROWS.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries.map(({ expr }) => expr)));
}

function placed(): object[] {
  const lines: object[] = [];
  let y = 0;
  for (const { title, panels } of ROWS) {
    lines.push({ type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y, w: WIDTH, h: 1 } });
    y += 1;
    const isStats = panels.every(({ kind }) => kind === 'stat');
    const perLine = isStats ? panels.length : 3;
    const height = isStats ? STAT_HEIGHT : GRAPH_HEIGHT;
    const width = WIDTH / perLine;
    for (const [at, panel] of panels.entries()) {
      const gridPos = { x: (at % perLine) * width, y: y + Math.floor(at / perLine) * height, w: width, h: height };
      lines.push(panelJson(panel, gridPos));
    }
    y += Math.ceil(panels.length / perLine) * height;
  }
  return lines.map((panel, at) => ({ id: at + 1, ...panel }));
}

function panelJson({ title, description, kind, unit, queries: asked }: Panel, gridPos: object): object {
  return {
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] } }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: asked.map(({ expr, legend }, at) => ({
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
    })),
  };
}

if (import.meta.main) await writeFile(DASHBOARD_FILE, `${JSON.stringify(dashboard(), null, 2)}\n`);
