import type { Clock } from "../../src/clock.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import type { Store } from "../../src/store/store.ts";
import { type CountingProxy, startCountingProxy } from "./counting-proxy.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { type OpenStore, type StoreUnderTest, standingClock } from "./store-fixture.ts";

/** What names this machine in tests. */
export const NODE = "node-under-test";
let number = 0;
const templates = new WeakMap<PostgresServer, Promise<string>>();

/** A database with the newest schema and nothing in it: copying it is quicker than making each test's from the first statement. */
function templateOf(server: PostgresServer): Promise<string> {
  const made = templates.get(server);
  if (made !== undefined) return made;
  const making = (async () => {
    await server.createDatabase("made");
    await (await openOn(server, "made", standingClock())).close();
    return "made";
  })();
  templates.set(server, making);
  return making;
}

export class PostgresUnderTest implements StoreUnderTest {
  store: Store;
  readonly database: string;
  readonly #server: PostgresServer;
  readonly #clock: Clock;
  readonly #proxy: CountingProxy | null;

  private constructor(
    server: PostgresServer,
    database: string,
    store: Store,
    clock: Clock,
    proxy: CountingProxy | null,
  ) {
    this.#server = server;
    this.database = database;
    this.store = store;
    this.#clock = clock;
    this.#proxy = proxy;
  }

  static async open(
    server: PostgresServer,
    clock: Clock = standingClock(),
    options: { counted?: boolean } = {},
  ): Promise<PostgresUnderTest> {
    const database = `store_${++number}`;
    await server.createDatabase(database, await templateOf(server));
    const [host] = server.address(database).hosts;
    const proxy = options.counted ? await startCountingProxy(`${host?.host}/.s.PGSQL.${host?.port}`) : null;
    return new PostgresUnderTest(server, database, await openOn(server, database, clock, NODE, proxy), clock, proxy);
  }

  trips(): number {
    if (this.#proxy === null) throw new Error("the store was not opened to be counted");
    return this.#proxy.trips();
  }

  async reopen(): Promise<void> {
    await this.store.close();
    this.store = await openOn(this.#server, this.database, this.#clock, NODE, this.#proxy);
  }

  async refuseRemovalFrom(table: string): Promise<void> {
    await this.run(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
       CREATE TRIGGER refuse BEFORE DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
  }

  /** A further process's store on the same database. */
  another(node = NODE): Promise<Store> {
    return openOn(this.#server, this.database, this.#clock, node);
  }

  run<T>(sql: string): Promise<T[]> {
    return this.#server.run<T>(this.database, sql);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.#server.dropDatabase(this.database);
  }
}

function openOn(
  server: PostgresServer,
  database: string,
  clock: Clock,
  node = NODE,
  proxy: CountingProxy | null = null,
): Promise<Store> {
  const address = server.address(database);
  const hosts = proxy === null ? address.hosts : [{ host: "127.0.0.1", port: proxy.port }];
  return openPostgres({ address: { ...address, hosts }, poolSize: 4, node, clock });
}

export function openIn(server: () => PostgresServer): OpenStore {
  return (clock, options) => PostgresUnderTest.open(server(), clock, options);
}
