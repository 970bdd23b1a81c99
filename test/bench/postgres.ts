import { systemClock } from "../../src/clock.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import type { Claim } from "../../src/store/store.ts";
import { startPostgres } from "../support/postgres-server.ts";
import {
  addCamera,
  addEndpoint,
  addMunicipality,
  claimRequest,
  DELIVERED,
  readingEntry,
  settled,
} from "../support/store-fixture.ts";

const CAMERAS = 20;
const GROUP = 16;
const GROUPS = 60;
const ROUNDS = 7;

/** What the queue on PostgreSQL costs for one message, in microseconds, with so many waiting behind it. */
export interface QueueCost {
  enqueue: number;
  claimAndSettle: number;
}

/** Costs with each of these backlogs, measured in turns so that what else the machine does meets all; medians of groups and rounds. */
export async function measureQueueCosts(backlogs: readonly number[]): Promise<readonly QueueCost[]> {
  await using server = await startPostgres({
    durable: true,
    settings: ["shared_buffers = 256MB", "max_wal_size = 4GB"],
  });
  await using stack = new AsyncDisposableStack();
  const places: { measure(): Promise<QueueCost>; costs: QueueCost[] }[] = [];
  for (const backlog of backlogs) {
    const database = `waiting_${backlog}`;
    await server.createDatabase(database);
    const store = await openPostgres({
      address: server.address(database),
      poolSize: 4,
      node: "bench",
      clock: systemClock,
    });
    stack.defer(() => store.close());
    const municipality = await addMunicipality(store, "Vila", await addEndpoint(store, "Police"));
    for (let n = 0; n < CAMERAS; n++) await addCamera(store, `C${n}`, municipality);
    await server.run(
      database,
      `INSERT INTO alpr_readings (camera_id, plate, timestamp_utc, protocol, time_source, raw_xml)
       SELECT 1 + i % ${CAMERAS}, 'T' || i, now(), 'tattile-xml', 'camera', repeat('x', 1000) FROM generate_series(1, ${backlog}) i`,
    );
    await server.run(
      database,
      "INSERT INTO messages_queue (reading_id, camera_id) SELECT id, camera_id FROM alpr_readings ORDER BY id",
    );
    await server.run(database, "VACUUM ANALYZE");
    let number = 0;
    places.push({
      costs: [],
      measure: async () => {
        const queueing: number[] = [];
        const sending: number[] = [];
        for (let group = 0; group < GROUPS; group++) {
          const entries = Array.from({ length: GROUP }, () => readingEntry(++number, `C${number % CAMERAS}`));
          const begun = performance.now();
          await store.enqueue(entries, new Date());
          const queued = performance.now();
          const claims: readonly Claim[] = await store.claim(
            claimRequest({ limit: GROUP, slotsPerEndpoint: GROUP }),
            new Date(),
          );
          await store.settle(
            claims.map((claim) => settled(claim, DELIVERED)),
            new Date(),
          );
          if (claims.length !== GROUP) throw new Error(`${claims.length} claimed`);
          queueing.push(queued - begun);
          sending.push(performance.now() - queued);
        }
        const perMessage = (groups: readonly number[]): number => (median(groups) * 1000) / GROUP;
        return { enqueue: perMessage(queueing), claimAndSettle: perMessage(sending) };
      },
    });
  }
  for (const { measure } of places) await measure();
  for (let round = 0; round < ROUNDS; round++) {
    for (const place of places) place.costs.push(await place.measure());
  }
  return places.map(({ costs }) => ({
    enqueue: median(costs.map(({ enqueue }) => enqueue)),
    claimAndSettle: median(costs.map(({ claimAndSettle }) => claimAndSettle)),
  }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
