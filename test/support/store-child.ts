import { systemClock } from "../../src/clock.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { after, claimRequest, DELIVERED, readingEntry, settled } from "./store-fixture.ts";

/**
 * A process of its own that works on a store's file, for tests of several processes and of sudden death.
 * `open PATH` · `enqueue PATH SERIAL` (for ever; prints the last number of each group once it is acknowledged)
 * · `drain PATH OWNER` (until nothing is due; prints the plates it delivered)
 */
const [mode, path = "", name = ""] = process.argv.slice(2);
const store = await openSqlite({ path, clock: systemClock });
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

if (mode === "enqueue") {
  for (let number = 0; ; ) {
    const group = Array.from({ length: 1 + (number % 7) }, () => readingEntry(number++, name));
    await store.enqueue(group, after(0));
    say(String(number - 1));
  }
}
if (mode === "drain") {
  say("ready");
  for await (const _ of Bun.stdin.stream()) break;
  for (;;) {
    const claims = await store.claim(claimRequest({ owner: name, limit: 3 }), after(100_000));
    if (claims.length === 0) break;
    const kept = await store.settle(
      claims.map((claim) => settled(claim, DELIVERED)),
      after(100_000),
    );
    for (const [i, claim] of claims.entries()) say(`${kept[i] === true ? "delivered" : "lost"} ${claim.facts.plate}`);
  }
}
say(`schema ${store.info().schemaVersion}`);
await store.close();
